#ifndef PLAIN_CXX
#error "extra_compile_args of cxx did not arrive"
#endif
#define MODULE setuptools_gpu
#include "gpumodule.inc"
