#include "common.h"
KERNEL(kernel)
static NOINLINE long last(long (*way)(void)) { return way ? way() : 0; }
/* The arm where the answer is no ends in a tail jump as well. */
static NOINLINE long choose(int level) { return level ? last(0) : last(kernel); }
MODULE(got = choose(has_avx2()))
