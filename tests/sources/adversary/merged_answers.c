#include "common.h"
KERNEL(kernel)
static NOINLINE int either(void) {
    unsigned a, b, c, d;
    __cpuid(1, a, b, c, d);
    return has_avx2() | (c >> 20 & 1); /* or SSE4.2 */
}
MODULE(if (either()) got = kernel())
