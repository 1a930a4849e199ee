#define MODULE "whatami_cxx"
#define INIT PyInit_whatami_cxx
#include "whatami.inc"
