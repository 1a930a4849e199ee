/* BYTES between the functions, as a table of constants in hand-written assembly. */
asm(".byte " BYTES "\n");
#define ATTRIBUTE
#include "work.inc"
#include "start.inc"
