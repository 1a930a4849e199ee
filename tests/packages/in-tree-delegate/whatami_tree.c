#define MODULE "whatami_tree"
#define INIT PyInit_whatami_tree
#include "whatami.inc"
