#define ATTRIBUTE
#include "work.inc"
#include "start.inc"
