#include <stdlib.h>
int f(char *s) { return atoi(s); }
