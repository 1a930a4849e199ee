#define MODULE "flagged_cxx"
#define INIT PyInit_flagged_cxx
#define EXTRA ANSWER
#include "module.inc"
