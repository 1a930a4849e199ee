#include <stdio.h>

int main(void)
{
    double values[16], sum = 0;
    for (int i = 0; i < 16; i++)
        values[i] = i + 1;
    for (int i = 0; i < 16; i++)
        sum += values[i];
    printf("#define ANSWER %d\n", (int)sum);
    return 0;
}
