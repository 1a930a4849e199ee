#include "common.h"
KERNEL(kernel)
__attribute__((constructor(200))) static void begin(void) { sink = kernel(); }
MODULE(got = has_avx2())
