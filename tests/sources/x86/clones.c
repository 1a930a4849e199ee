#define ATTRIBUTE __attribute__((target_clones("default","arch=haswell","avx512f")))
#include "work.inc"
#include "start.inc"
