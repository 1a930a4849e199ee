#include "common.h"
#include <stdlib.h>
AVX2 static int compare(const void *left, const void *right) {
    __m256i one = _mm256_set1_epi32(*(const int *)left);
    one = _mm256_sub_epi32(one, _mm256_set1_epi32(*(const int *)right));
    return _mm256_extract_epi32(one, 0);
}
MODULE(sink = has_avx2(); data[1] = 3; qsort(data, 64, sizeof *data, compare); got = data[0])
