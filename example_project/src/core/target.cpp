#include "search.hpp"

namespace vecsearch {

// The macros are those of gcc and clang. The levels are those of the x86-64 psABI
// (https://gitlab.com/x86-psABIs/x86-64-ABI), checked by the features that have a macro.
const char *compiled_for() {
#if defined(__x86_64__)
#if defined(__AVX2__) && defined(__BMI__) && defined(__BMI2__) && defined(__F16C__) && \
    defined(__FMA__) && defined(__LZCNT__)
#if defined(__AVX512F__) && defined(__AVX512BW__) && defined(__AVX512CD__) && \
    defined(__AVX512DQ__) && defined(__AVX512VL__)
    return "v4";
#else
    return "v3";
#endif
#elif defined(__POPCNT__) && defined(__SSE4_2__)
    return "v2";
#else
    return "v1";
#endif
#elif defined(__aarch64__)
    return "aarch64";
#elif defined(__powerpc64__)
    return "ppc64le";
#elif defined(__riscv)
    return "riscv64";
#else
    return "unknown";
#endif
}

}  // namespace vecsearch
