#include "common.h"
KERNEL(kernel)
static NOINLINE long plain(void) { return 1; }
typedef struct { long (*first)(void), (*second)(void); } pair;
/* Both pointers come back in registers. */
static NOINLINE pair choose(void) { return (pair){plain, kernel}; }
MODULE(pair both = choose(); sink = has_avx2(); got = both.second())
