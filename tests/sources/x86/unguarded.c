#include "versions.inc"

static int have = -1;
static float choose(const float *in, int n) {
    if (have < 0) { __builtin_cpu_init(); have = __builtin_cpu_supports("avx512bw"); }
    /* The answer is never looked at. */
}
static float always(const float *in, int n) { choose(in, n); return work_avx512(in, n); }
#include "start.inc"
