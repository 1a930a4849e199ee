#include "common.h"
/* Code in the middle of another function, entered through a pointer. */
asm(".text\n.type outer, @function\nouter: xor %eax, %eax\n ret\n"
    "inner: vpaddd %ymm0, %ymm0, %ymm1\n vzeroupper\n mov $1, %eax\n ret\n.size outer, . - outer\n");
extern void inner(void) __attribute__((visibility("hidden")));
MODULE(sink = has_avx2(); got = ((long (*)(void))inner)())
