#define MODULE "whatami_meson"
#define INIT PyInit_whatami_meson
#include "whatami.inc"
