#include "common.h"
/* Not misleading: AVX2 behind the question for it and for what the system saves. */
KERNEL(kernel)
static NOINLINE int may_use_avx2(void) {
    unsigned a, b, c, d;
    if (__get_cpuid_max(0, 0) < 7) return 0;
    __cpuid(1, a, b, c, d);
    if (!(c >> 27 & 1) || !(c >> 28 & 1)) return 0;
    unsigned low, high;
    asm volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
    return (low & 6) == 6 && has_avx2();
}
MODULE(got = may_use_avx2() ? kernel() : 2)
