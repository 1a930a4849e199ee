#include "common.h"
KERNEL(kernel)
/* The table does not hold the address of the function, but one before it. */
static char *volatile before = (char *)kernel - 16;
MODULE(sink = has_avx2(); got = ((long (*)(void))(before + 16))())
