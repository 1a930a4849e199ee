#include "common.h"
KERNEL(kernel)
static int state; /* 0: not asked yet, 1: no, 2: yes; but 0 is taken for yes */
static NOINLINE int known(void) { return state; }
MODULE(if (known() != 1) got = kernel(); state = 1 + has_avx2())
