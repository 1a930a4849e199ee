#include "versions.inc"

typedef float worker(const float *, int);
static worker *find(void) {
    __builtin_cpu_init();
    return __builtin_cpu_supports("avx512bw") ? work_avx512 : work;
}
float choose(const float *, int) __attribute__((ifunc("find")));
#include "start.inc"
