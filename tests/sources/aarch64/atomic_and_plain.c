#define WORK add
#include "atomic.inc"
#define ATTRIBUTE
#include "work.inc"
#include "start.inc"
