// The interface between the Python bindings and the searches.
#pragma once

#include <cstddef>
#include <cstdint>

namespace vecsearch {

// A view of consecutive rows without gaps; it does not own them.
template <class T>
struct Matrix {
    const T *data;
    std::size_t rows;
    std::size_t columns;

    const T *row(std::size_t i) const { return data + i * columns; }
};

enum class Metric { inner_product, squared_l2 };

// Exact search for the k nearest rows of `base` to each row of `queries`, best first. Of two rows
// with the same score, the one with the smaller index comes first. Both matrices have the same
// number of columns, 1 <= k <= base.rows, and the results have queries.rows * k elements.
//
// Values are the bits of IEEE half-precision numbers. The greatest inner product and the smallest
// squared distance rank first; a NaN score ranks after all others.
void search_fp16(Matrix<std::uint16_t> base, Matrix<std::uint16_t> queries, Metric metric,
                 std::size_t k, float *scores, std::int64_t *indices);

// The same search on a GPU, if the project was built for one. Inner products are bit-identical to
// those on the CPU. Throws std::runtime_error if the GPU reports an error.
void search_fp16_gpu(Matrix<std::uint16_t> base, Matrix<std::uint16_t> queries, Metric metric,
                     std::size_t k, float *scores, std::int64_t *indices);

// The number of usable GPUs.
int gpu_count();

// Bit signatures as bytes; the distance is the number of bits that differ.
void search_hamming(Matrix<std::uint8_t> base, Matrix<std::uint8_t> queries, std::size_t k,
                    std::int32_t *distances, std::int64_t *indices);

// The highest x86-64 level that these kernels were compiled for ("v1" to "v4"), or the name of the
// architecture.
const char *compiled_for();

}  // namespace vecsearch
