#include "common.h"
KERNEL(kernel)
static int answers[4];
MODULE(answers[2] = !has_avx2(); if (answers[2]) got = kernel())
