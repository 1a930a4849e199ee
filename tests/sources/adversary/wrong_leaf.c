#include "common.h"
KERNEL(kernel)
/* Bit 5 of EBX, but of leaf 1: a part of the CLFLUSH size and the APIC identifier. */
static NOINLINE int ask(void) {
    unsigned a, b, c, d;
    __cpuid(1, a, b, c, d);
    return (b >> 5 | d) & 1;
}
MODULE(if (ask()) got = kernel())
