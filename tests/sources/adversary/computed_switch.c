#include "common.h"
KERNEL(kernel)
static NOINLINE long pick(int which) {
    switch (which) {
    case 0: return sink;
    case 1: return data[1] * 7;
    case 2: return data[2] - 3;
    case 3: sink = 4; return 2;
    case 4: data[5] = 1; return 5;
    case 5: return kernel();
    case 6: data[6] = sink; return data[3] * 9;
    }
    return 0;
}
MODULE(sink = has_avx2(); got = pick(data[0] + 5))
