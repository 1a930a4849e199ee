#include "common.h"
KERNEL(kernel)
static struct { int avx2, verbose; } options;
__attribute__((noinline)) void set_verbose(int on) { options.verbose = on; }
MODULE(options.avx2 = has_avx2(); set_verbose(1); if (options.verbose) got = kernel())
