#define HAS_KERNEL
#define MODULE cmake_gpu
#include "gpumodule.inc"
