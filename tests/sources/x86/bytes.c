/* BYTES between the functions, as a table of constants in hand-written assembly. With POINTED they
   may be code, which something may call. */
asm(".globl bytes\n.hidden bytes\nbytes: .byte " BYTES "\n");
#ifdef POINTED
extern void bytes(void);
void (*volatile pointed)(void) = bytes;
#endif
#define ATTRIBUTE
#include "work.inc"
#include "start.inc"
