#include <stdint.h>
__attribute__((noinline)) int work(int *a, const int *b, int n) {
    for (int i = 0; i < n; i++) a[i] = a[i] * b[i];
    return a[3];
}
static int three[64], four[64];
#include "start.inc"
