/* Generate the table of bit counts that kernels.c includes. */
#include <stdio.h>

int main(void) {
    printf("static const unsigned char bits[16] = {");
    for (int i = 0; i < 16; ++i) printf("%d,", (i & 1) + (i >> 1 & 1) + (i >> 2 & 1) + (i >> 3));
    printf("};\n");
    return 0;
}
