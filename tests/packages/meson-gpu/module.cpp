#define HAS_KERNEL
#define MODULE meson_gpu
#include "gpumodule.inc"
