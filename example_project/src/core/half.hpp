// Load half-precision rows as vectors of floats, with the instructions that the compiler's flags
// allow.
//
// Vectors are GNU vector extensions (gcc, clang). Only the packed conversion is an intrinsic, used
// if the flags allow it: for a loop or __builtin_convertvector gcc 12 generates scalar conversions,
// and gcc 11 and clang 14 have no _Float16 on x86.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

#if defined(__F16C__)
#include <immintrin.h>
#elif defined(__aarch64__)
#include <arm_neon.h>
#endif

namespace vecsearch {

// Sums use this many independent lanes, at every level of every architecture. Element e of a row
// always goes to the lane e % kLanes, so the order of additions, and therefore the result, does not
// depend on the width of the vectors.
constexpr std::size_t kLanes = 8;

#if defined(__F16C__)
constexpr std::size_t kVectorBytes = 32;
#else
constexpr std::size_t kVectorBytes = 16;
#endif
constexpr std::size_t kWidth = kVectorBytes / sizeof(float);
constexpr std::size_t kParts = kLanes / kWidth;

using Floats = float __attribute__((vector_size(kVectorBytes)));

// Load part number `part` of the kLanes values at `values`.
inline Floats load(const float *values, std::size_t part) {
    Floats result;
    std::memcpy(&result, values + part * kWidth, sizeof result);
    return result;
}

#if defined(__F16C__) || defined(__aarch64__)

// The hardware converts all values, including infinities and NaNs.
constexpr bool kConvertsAll = true;

// The position of an element in its group of kLanes after load().
constexpr std::size_t slot(std::size_t element) { return element; }

inline Floats load(const std::uint16_t *halves, std::size_t part) {
#if defined(__F16C__)
    return static_cast<Floats>(_mm256_cvtph_ps(
        _mm_loadu_si128(reinterpret_cast<const __m128i *>(halves + part * kWidth))));
#else
    return static_cast<Floats>(vcvt_f32_f16(
        vld1_f16(reinterpret_cast<const __fp16 *>(halves + part * kWidth))));
#endif
}

#else

// Infinities and NaNs are converted to large numbers: callers must check for them first.
constexpr bool kConvertsAll = false;

static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "pairs are split by shifting");

// Pairs of halves are split into even and odd elements, which needs no shuffles.
constexpr std::size_t slot(std::size_t element) { return element % 2 * kWidth + element / 2; }

// A half in the upper 16 bits, shifted right by 3, has its exponent and fraction where a float has
// them. The mask clears the copies of the sign and the other half, and 2^112 corrects the bias.
// Subnormals are converted correctly too.
inline Floats load(const std::uint16_t *halves, std::size_t part) {
    using Bits = std::uint32_t __attribute__((vector_size(kVectorBytes)));
    using Signed = std::int32_t __attribute__((vector_size(kVectorBytes)));
    Bits pairs;
    std::memcpy(&pairs, halves + part / 2 * (2 * kWidth), sizeof pairs);
    const Bits upper = part % 2 == 0 ? pairs << 16 : pairs;
    const Bits bits = reinterpret_cast<Bits>(reinterpret_cast<Signed>(upper) >> 3) & 0x8fffe000U;
    return reinterpret_cast<Floats>(bits) * 0x1p112F;
}

#endif

// Convert any half to a float.
inline float convert(std::uint16_t half) {
    const std::uint32_t sign = static_cast<std::uint32_t>(half & 0x8000U) << 16;
    const std::uint32_t magnitude = static_cast<std::uint32_t>(half & 0x7fffU) << 13;
    if ((half & 0x7c00U) == 0x7c00U) {
        const std::uint32_t bits = sign | 0x7f800000U | magnitude;
        float result;
        std::memcpy(&result, &bits, sizeof result);
        return result;
    }
    const std::uint32_t bits = sign | magnitude;
    float result;
    std::memcpy(&result, &bits, sizeof result);
    return result * 0x1p112F;
}

// Return whether load() converts all of these halves correctly.
inline bool loadable(const std::uint16_t *halves, std::size_t count) {
    if constexpr (kConvertsAll) return true;
    constexpr std::uint64_t kExponents = 0x7c007c007c007c00U, kOnes = 0x0400040004000400U;
    using Words = std::uint64_t __attribute__((vector_size(16)));
    constexpr std::size_t kEach = sizeof(Words) / sizeof *halves, kChains = 4;
    Words chains[kChains] = {};  // carries into the sign bit, from exponents of all ones
    std::size_t i = 0;
    for (; i + kChains * kEach <= count; i += kChains * kEach)
        for (std::size_t c = 0; c < kChains; ++c) {
            Words words;
            std::memcpy(&words, halves + i + c * kEach, sizeof words);
            chains[c] |= (words & kExponents) + kOnes;
        }
    const Words all = (chains[0] | chains[1]) | (chains[2] | chains[3]);
    std::uint64_t carries = all[0] | all[1];
    for (; i < count; ++i) carries |= (halves[i] & kExponents) + kOnes;
    return (carries & 0x8000800080008000U) == 0;
}

}  // namespace vecsearch
