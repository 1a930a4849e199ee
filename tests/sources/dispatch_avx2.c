#include <immintrin.h>
__attribute__((target("avx2"))) void wide(float *a) { _mm256_storeu_ps(a, _mm256_set1_ps(a[0])); }
void narrow(float *a) { a[0] = 1; }
void pick(float *a) { __builtin_cpu_supports("avx2") ? wide(a) : narrow(a); }
