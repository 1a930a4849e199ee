#include <algorithm>
#include <cstring>
#include <vector>

#include "blocks.hpp"
#include "half.hpp"
#include "search.hpp"

namespace vecsearch {
namespace {

// Score R rows against Q queries, each `columns` long (a multiple of kLanes), as halves or floats
// in the order of slot(). The score of row r and query q goes to scores[q * stride + r].
template <Metric M, std::size_t R, std::size_t Q, class Value>
void score_block(const Value *rows, const float *queries, std::size_t columns, float *scores,
                 std::size_t stride) {
    Floats sums[R][Q][kParts] = {};
    for (std::size_t i = 0; i < columns; i += kLanes) {
        for (std::size_t p = 0; p < kParts; ++p) {
            Floats x[R];
            for (std::size_t r = 0; r < R; ++r) x[r] = load(rows + r * columns + i, p);
            for (std::size_t q = 0; q < Q; ++q) {
                const Floats y = load(queries + q * columns + i, p);
                for (std::size_t r = 0; r < R; ++r) {
                    if constexpr (M == Metric::inner_product) {
                        sums[r][q][p] += x[r] * y;
                    } else {
                        const Floats d = x[r] - y;
                        sums[r][q][p] += d * d;
                    }
                }
            }
        }
    }
    for (std::size_t r = 0; r < R; ++r) {
        for (std::size_t q = 0; q < Q; ++q) {
            float lane[kLanes];
            std::memcpy(lane, sums[r][q], sizeof lane);
            float quarter[kLanes / 2];
            for (std::size_t e = 0; e < kLanes / 2; ++e)
                quarter[e] = lane[slot(e)] + lane[slot(e + kLanes / 2)];
            scores[q * stride + r] = (quarter[0] + quarter[2]) + (quarter[1] + quarter[3]);
        }
    }
}

// Convert kLanes halves to floats in the order of slot().
void decode_group(const std::uint16_t *halves, bool fast, float *out) {
    if (fast) {
        for (std::size_t p = 0; p < kParts; ++p) {
            const Floats values = load(halves, p);
            std::memcpy(out + p * kWidth, &values, sizeof values);
        }
    } else {
        for (std::size_t e = 0; e < kLanes; ++e) out[slot(e)] = convert(halves[e]);
    }
}

// Convert consecutive rows to floats in the order of slot(), each padded with zeros.
void decode(const std::uint16_t *halves, std::size_t rows, std::size_t dim, std::size_t padded,
            float *out) {
    const bool fast = loadable(halves, rows * dim);
    const std::size_t whole = dim / kLanes * kLanes;
    for (std::size_t r = 0; r < rows; ++r, halves += dim, out += padded) {
        for (std::size_t i = 0; i < whole; i += kLanes) decode_group(halves + i, fast, out + i);
        if (whole < dim) {
            std::uint16_t last[kLanes] = {};
            std::memcpy(last, halves + whole, (dim - whole) * sizeof *last);
            decode_group(last, fast, out + whole);
        }
    }
}

template <Metric M>
class Search {
public:
    Search(Matrix<std::uint16_t> base, Matrix<std::uint16_t> queries, std::size_t k)
        : base_(base),
          query_rows_(queries.rows),
          padded_((base.columns + kLanes - 1) / kLanes * kLanes),
          tile_rows_(std::min(
              base.rows, std::max<std::size_t>(1, kTileFloats / padded_ / kRowsOfOne) * kRowsOfOne)),
          queries_(queries.rows * padded_),
          scores_(queries.rows * tile_rows_),
          nearest_(queries.rows, Nearest<float>(k)) {
        decode(queries.data, queries.rows, queries.columns, padded_, queries_.data());
    }

    void run() {
        // Decoding a tile once is worthwhile if a block of queries shares it.
        const bool in_place = query_rows_ < kBlockQueries && padded_ == base_.columns;
        std::vector<float> tile(in_place && kConvertsAll ? 0 : tile_rows_ * padded_);
        for (std::size_t first = 0; first < base_.rows; first += tile_rows_) {
            const std::size_t rows = std::min(tile_rows_, base_.rows - first);
            const std::uint16_t *halves = base_.row(first);
            if (in_place && loadable(halves, rows * base_.columns)) {
                score(halves, rows);
            } else {
                decode(halves, rows, base_.columns, padded_, tile.data());
                score(tile.data(), rows);
            }
            for (std::size_t q = 0; q < query_rows_; ++q)
                for (std::size_t r = 0; r < rows; ++r)
                    nearest_[q].offer(kSign * scores_[q * tile_rows_ + r],
                                      static_cast<std::int64_t>(first + r));
        }
    }

    void finish(std::size_t k, float *scores, std::int64_t *indices) {
        for (std::size_t q = 0; q < query_rows_; ++q)
            nearest_[q].finish([&](std::size_t rank, float key, std::int64_t index) {
                scores[q * k + rank] = kSign * key;
                indices[q * k + rank] = index;
            });
    }

private:
    static constexpr std::size_t kTileFloats = 6144;  // 24 KiB: three quarters of a small L1 cache
    // As many sums as fit into 16 vector registers together with the operands.
    static constexpr std::size_t kBlockRows = 3;
    static constexpr std::size_t kBlockQueries = kParts == 1 ? 3 : 2;
    static constexpr std::size_t kRowsOfOne = 6;
    static constexpr float kSign = M == Metric::inner_product ? -1.0F : 1.0F;

    template <class Value>
    void score(const Value *rows, std::size_t count) {
        for_each_block<kBlockRows, kBlockQueries, kRowsOfOne>(
            count, query_rows_, [&](std::size_t row, std::size_t query, auto r, auto q) {
                score_block<M, r(), q()>(rows + row * padded_, queries_.data() + query * padded_,
                                         padded_, &scores_[query * tile_rows_ + row], tile_rows_);
            });
    }

    Matrix<std::uint16_t> base_;
    std::size_t query_rows_;
    std::size_t padded_;
    std::size_t tile_rows_;
    std::vector<float> queries_;
    std::vector<float> scores_;
    std::vector<Nearest<float>> nearest_;
};

template <Metric M>
void search(Matrix<std::uint16_t> base, Matrix<std::uint16_t> queries, std::size_t k, float *scores,
            std::int64_t *indices) {
    Search<M> search(base, queries, k);
    search.run();
    search.finish(k, scores, indices);
}

}  // namespace

void search_fp16(Matrix<std::uint16_t> base, Matrix<std::uint16_t> queries, Metric metric,
                 std::size_t k, float *scores, std::int64_t *indices) {
    if (metric == Metric::inner_product)
        search<Metric::inner_product>(base, queries, k, scores, indices);
    else
        search<Metric::squared_l2>(base, queries, k, scores, indices);
}

}  // namespace vecsearch
