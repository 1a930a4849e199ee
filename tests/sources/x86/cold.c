#define ATTRIBUTE
#include "work.inc"

#define work work_rarely
#undef ATTRIBUTE
#define ATTRIBUTE __attribute__((cold, target("avx512f,avx512bw")))
#include "work.inc"
#undef work
#include "start.inc"
