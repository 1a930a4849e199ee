#define ATTRIBUTE __attribute__((target_clones("default","arch=haswell")))
#include "work.inc"
#include "start.inc"
