// The same searches as most authors would write them: simple loops over rows and columns, without
// blocks, lanes or intrinsics. benchmark.py builds them (VECSEARCH_PLAIN) to show what the variant
// gains for such code, and what the other files gain in themselves.
#include <cstring>

#include "blocks.hpp"
#include "half.hpp"
#include "search.hpp"

namespace vecsearch {

void search_fp16(Matrix<std::uint16_t> base, Matrix<std::uint16_t> queries, Metric metric,
                 std::size_t k, float *scores, std::int64_t *indices) {
    const float sign = metric == Metric::inner_product ? -1.0F : 1.0F;
    for (std::size_t q = 0; q < queries.rows; ++q) {
        Nearest<float> nearest(k);
        for (std::size_t r = 0; r < base.rows; ++r) {
            float sum = 0.0F;
            for (std::size_t i = 0; i < base.columns; ++i) {
                const float x = convert(base.row(r)[i]), y = convert(queries.row(q)[i]);
                sum += metric == Metric::inner_product ? x * y : (x - y) * (x - y);
            }
            nearest.offer(sign * sum, static_cast<std::int64_t>(r));
        }
        nearest.finish([&](std::size_t rank, float key, std::int64_t index) {
            scores[q * k + rank] = sign * key;
            indices[q * k + rank] = index;
        });
    }
}

void search_hamming(Matrix<std::uint8_t> base, Matrix<std::uint8_t> queries, std::size_t k,
                    std::int32_t *distances, std::int64_t *indices) {
    for (std::size_t q = 0; q < queries.rows; ++q) {
        Nearest<std::int32_t> nearest(k);
        for (std::size_t r = 0; r < base.rows; ++r) {
            std::int32_t bits = 0;
            for (std::size_t i = 0; i < base.columns; i += sizeof(std::uint64_t)) {
                const std::size_t count = std::min(sizeof(std::uint64_t), base.columns - i);
                std::uint64_t x = 0, y = 0;
                std::memcpy(&x, base.row(r) + i, count);
                std::memcpy(&y, queries.row(q) + i, count);
                bits += __builtin_popcountll(x ^ y);
            }
            nearest.offer(bits, static_cast<std::int64_t>(r));
        }
        nearest.finish([&](std::size_t rank, std::int32_t distance, std::int64_t index) {
            distances[q * k + rank] = distance;
            indices[q * k + rank] = index;
        });
    }
}

}  // namespace vecsearch
