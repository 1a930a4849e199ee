#define MODULE "flagged_c"
#define INIT PyInit_flagged_c
#define EXTRA ANSWER
#include "module.inc"
