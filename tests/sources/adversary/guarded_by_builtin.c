#include "common.h"
/* Not misleading: the compiler's own question. */
KERNEL(kernel)
MODULE(__builtin_cpu_init(); got = __builtin_cpu_supports("avx2") ? kernel() : 2)
