// The fp16 search on a GPU, one source for CUDA and HIP. The device computes the scores. The host
// keeps the best k of them, with the same code as the CPU search.
#if defined(__HIP__)
#include <hip/hip_runtime.h>
#define cudaError_t hipError_t
#define cudaFree hipFree
#define cudaGetDeviceCount hipGetDeviceCount
#define cudaGetErrorString hipGetErrorString
#define cudaGetLastError hipGetLastError
#define cudaMalloc hipMalloc
#define cudaMemcpy hipMemcpy
#define cudaMemcpyDeviceToHost hipMemcpyDeviceToHost
#define cudaMemcpyHostToDevice hipMemcpyHostToDevice
#define cudaSuccess hipSuccess
#else
#include <cuda_runtime.h>
#endif

#include <algorithm>
#include <stdexcept>
#include <string>
#include <vector>

#include "blocks.hpp"
#include "search.hpp"

namespace vecsearch {
namespace {

// Element e of a row goes to the lane e % kLanes, as on the CPU. Inner products are bit-identical
// on both, since a product of two halves is exact in a float.
constexpr std::size_t kLanes = 8;
constexpr std::size_t kTileRows = 1 << 16;
constexpr std::size_t kTileQueries = 128;
constexpr unsigned kThreads = 128;

void check(cudaError_t status) {
    if (status != cudaSuccess)
        throw std::runtime_error(std::string("GPU: ") + cudaGetErrorString(status));
}

template <class T>
class Buffer {
public:
    explicit Buffer(std::size_t count) {
        check(cudaMalloc(reinterpret_cast<void **>(&data_), count * sizeof(T)));
    }
    Buffer(const Buffer &) = delete;
    Buffer &operator=(const Buffer &) = delete;
    ~Buffer() { (void)cudaFree(data_); }

    T *get() const { return data_; }
    void fill(const T *from, std::size_t count) {
        check(cudaMemcpy(data_, from, count * sizeof(T), cudaMemcpyHostToDevice));
    }
    void read(T *into, std::size_t count) const {
        check(cudaMemcpy(into, data_, count * sizeof(T), cudaMemcpyDeviceToHost));
    }

private:
    T *data_ = nullptr;
};

// Convert any half to a float; the multiplication handles subnormals correctly.
__device__ float to_float(std::uint16_t half) {
    const unsigned sign = (half & 0x8000U) << 16, magnitude = (half & 0x7fffU) << 13;
    if ((half & 0x7c00U) == 0x7c00U) return __uint_as_float(sign | 0x7f800000U | magnitude);
    return __uint_as_float(sign | magnitude) * 0x1p112F;
}

// One thread per row, one row of blocks per query; writes scores[query * count + row].
__global__ void score(const std::uint16_t *rows, std::size_t count, const std::uint16_t *queries,
                      std::size_t dim, bool squared_l2, float *scores) {
    const std::size_t r = std::size_t(blockIdx.x) * blockDim.x + threadIdx.x;
    if (r >= count) return;
    const std::uint16_t *row = rows + r * dim, *query = queries + blockIdx.y * dim;
    float lane[kLanes] = {};
    for (std::size_t i = 0; i < dim; i += kLanes) {
#pragma unroll
        for (std::size_t e = 0; e < kLanes; ++e) {
            if (i + e >= dim) continue;
            const float x = to_float(row[i + e]), y = to_float(query[i + e]), d = x - y;
            lane[e] += squared_l2 ? d * d : x * y;
        }
    }
    float quarter[kLanes / 2];
#pragma unroll
    for (std::size_t e = 0; e < kLanes / 2; ++e) quarter[e] = lane[e] + lane[e + kLanes / 2];
    scores[blockIdx.y * count + r] = (quarter[0] + quarter[2]) + (quarter[1] + quarter[3]);
}

}  // namespace

int gpu_count() {
    int count = 0;
    return cudaGetDeviceCount(&count) == cudaSuccess ? count : 0;
}

void search_fp16_gpu(Matrix<std::uint16_t> base, Matrix<std::uint16_t> queries, Metric metric,
                     std::size_t k, float *scores, std::int64_t *indices) {
    if (queries.rows == 0) return;
    const std::size_t dim = base.columns;
    const std::size_t tile_rows = std::min(base.rows, kTileRows);
    const std::size_t tile_queries = std::min(queries.rows, kTileQueries);
    const bool squared_l2 = metric == Metric::squared_l2;
    const float sign = squared_l2 ? 1.0F : -1.0F;
    Buffer<std::uint16_t> device_rows(tile_rows * dim), device_queries(tile_queries * dim);
    Buffer<float> device_scores(tile_rows * tile_queries);
    std::vector<float> tile(tile_rows * tile_queries);
    for (std::size_t q0 = 0; q0 < queries.rows; q0 += tile_queries) {
        const std::size_t asked = std::min(tile_queries, queries.rows - q0);
        device_queries.fill(queries.row(q0), asked * dim);
        std::vector<Nearest<float>> nearest(asked, Nearest<float>(k));
        for (std::size_t r0 = 0; r0 < base.rows; r0 += tile_rows) {
            const std::size_t rows = std::min(tile_rows, base.rows - r0);
            device_rows.fill(base.row(r0), rows * dim);
            const dim3 blocks(unsigned((rows + kThreads - 1) / kThreads), unsigned(asked));
            score<<<blocks, kThreads>>>(device_rows.get(), rows, device_queries.get(), dim,
                                        squared_l2, device_scores.get());
            check(cudaGetLastError());
            device_scores.read(tile.data(), rows * asked);
            for (std::size_t q = 0; q < asked; ++q)
                for (std::size_t r = 0; r < rows; ++r)
                    nearest[q].offer(sign * tile[q * rows + r], std::int64_t(r0 + r));
        }
        for (std::size_t q = 0; q < asked; ++q)
            nearest[q].finish([&](std::size_t rank, float key, std::int64_t index) {
                scores[(q0 + q) * k + rank] = sign * key;
                indices[(q0 + q) * k + rank] = index;
            });
    }
}

}  // namespace vecsearch
