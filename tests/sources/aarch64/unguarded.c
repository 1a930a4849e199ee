#include "choice.inc"
static int always(const int8_t *a, const int8_t *b, int n)
{ return choose(a, b, n) + work_dot(a, b, n); }
#include "start.inc"
