#include <arm_neon.h>
int32x4_t round4(int32x4_t a, int32x4_t b) { return vqrdmlahq_s32(a, b, b); }
int more(int a) { return __builtin_aarch64_crc32b(a, 3); }
#define WORK work
#include "atomic.inc"
#include "start.inc"
