#define ATTRIBUTE __attribute__((target_clones("default","avx2","avx512f")))
#include "work.inc"
#include "start.inc"
