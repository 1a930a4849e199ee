#include "common.h"
KERNEL(kernel)
static NOINLINE int ask(void) {
    unsigned a, b, c, d;
    __cpuid(1, a, b, c, d);
    return d >> 5 & 1; /* MSR, which every CPU has */
}
MODULE(if (ask()) got = kernel())
