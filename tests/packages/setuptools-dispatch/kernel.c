#include <immintrin.h>

/* Compiled for AVX-512, and called after a dispatch check alone. */
__attribute__((visibility("hidden"))) void add_avx512(int *a, const int *b)
{
    __m256i first = _mm256_loadu_si256((const __m256i *)a);
    __m256i second = _mm256_loadu_si256((const __m256i *)b);
    _mm256_mask_storeu_epi32(a, 0x55, _mm256_add_epi32(first, second));
}
