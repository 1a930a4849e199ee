static _Float16 x = 2;
__attribute__((noinline)) static int work(void) { x = x * (_Float16)3 + x; return (int)x; }
#include "start.inc"
