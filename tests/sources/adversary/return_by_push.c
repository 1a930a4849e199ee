#include "common.h"
KERNEL(kernel)
static NOINLINE long hop(void *to) {
    long got;
    asm volatile("lea 1f(%%rip), %%rcx\n push %%rcx\n push %1\n ret\n1:" : "=a"(got) : "r"(to)
                 : "rcx", "rdx", "rsi", "rdi", "r8", "r9", "r10", "r11", "memory", "xmm0", "xmm1");
    return got;
}
MODULE(sink = has_avx2(); got = hop(kernel))
