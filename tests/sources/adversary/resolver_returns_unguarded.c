#include "common.h"
KERNEL(kernel)
static long plain(void) { return 1; }
/* The question is asked, and both answers give the same. */
static void *resolve(void) { return has_avx2() || data[0] == 0 ? (void *)kernel : (void *)plain; }
long work(void) __attribute__((ifunc("resolve")));
MODULE(got = work())
