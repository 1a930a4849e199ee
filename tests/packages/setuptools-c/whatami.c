#define MODULE "whatami"
#define INIT PyInit_whatami
#include "whatami.inc"
