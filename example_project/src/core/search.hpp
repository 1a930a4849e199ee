// The interface between the Python bindings and whatever does the searching.
#pragma once

#include <cstddef>
#include <cstdint>

namespace vecsearch {

// Rows that someone else owns, one behind the other without gaps.
template <class T>
struct Matrix {
    const T *data;
    std::size_t rows;
    std::size_t columns;

    const T *row(std::size_t i) const { return data + i * columns; }
};

enum class Metric { inner_product, squared_l2 };

// Exact search for the k nearest rows of `base` to each row of `queries`, best first; of two
// equally good rows the one with the smaller index comes first. Both matrices have the same
// number of columns, 1 <= k <= base.rows, and the results have queries.rows * k places.
//
// IEEE half-precision numbers as their bits. Inner products rank from the greatest, squared
// distances from the smallest; a score that is not a number ranks behind all others.
void search_fp16(Matrix<std::uint16_t> base, Matrix<std::uint16_t> queries, Metric metric,
                 std::size_t k, float *scores, std::int64_t *indices);

// The same search on a GPU, where the project was built for one. Inner products are the same bits
// as on the processor. Throws std::runtime_error where the GPU fails.
void search_fp16_gpu(Matrix<std::uint16_t> base, Matrix<std::uint16_t> queries, Metric metric,
                     std::size_t k, float *scores, std::int64_t *indices);

// The GPUs that can be used, 0 without any.
int gpu_count();

// Bit signatures as bytes; the distance is the number of bits that differ.
void search_hamming(Matrix<std::uint8_t> base, Matrix<std::uint8_t> queries, std::size_t k,
                    std::int32_t *distances, std::int64_t *indices);

// The highest x86-64 level whose instructions these kernels were compiled for ("v1" to "v4"),
// elsewhere the architecture's name.
const char *compiled_for();

}  // namespace vecsearch
