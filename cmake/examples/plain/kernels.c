/* Count bits with a table. With AVX2 the compiler vectorises the loop. */
#include <stddef.h>

#include "table.h"

int kernels_have_avx2(void) {
#ifdef __AVX2__
    return 1;
#else
    return 0;
#endif
}

size_t count_bits(const unsigned char *bytes, size_t count) {
    size_t total = 0;
    for (size_t i = 0; i < count; ++i) total += bits[bytes[i] & 15] + bits[bytes[i] >> 4];
    return total;
}
