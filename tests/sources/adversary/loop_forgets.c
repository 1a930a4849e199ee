#include "common.h"
KERNEL(kernel)
MODULE(
    int ok = has_avx2();
    for (int i = 0; i < 3; i++) {
        if (ok) got += kernel();
        ok |= i + 1;
    })
