#include "versions.inc"

static int have = -1;
static float choose(const float *in, int n) {
    if (have < 0) { __builtin_cpu_init(); have = __builtin_cpu_supports("avx512bw"); }
    return have ? work_avx512(in, n) : work(in, n);
}
#include "start.inc"
