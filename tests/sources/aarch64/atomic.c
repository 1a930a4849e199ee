#define WORK work
#include "atomic.inc"
#include "start.inc"
