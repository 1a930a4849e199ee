#include <algorithm>
#include <cstring>
#include <vector>

#include "blocks.hpp"
#include "search.hpp"

namespace vecsearch {
namespace {

using Word = std::uint64_t;

Word load_word(const std::uint8_t *bytes, std::size_t count = sizeof(Word)) {
    Word word = 0;
    std::memcpy(&word, bytes, count);
    return word;
}

#if defined(__POPCNT__) || defined(__aarch64__) || defined(_ARCH_PWR7)

Word popcount(Word x) { return static_cast<Word>(__builtin_popcountll(x)); }

// Count the bits that differ between R rows and Q queries of whole words. The sums are interleaved
// because each addition depends on the previous one to the same sum.
template <std::size_t R, std::size_t Q>
void count_block(const std::uint8_t *rows, std::size_t stride, const Word *queries,
                 std::size_t query_stride, std::size_t words, Word (&counts)[R][Q]) {
    for (std::size_t i = 0; i < words; ++i)
        for (std::size_t r = 0; r < R; ++r)
            for (std::size_t q = 0; q < Q; ++q)
                counts[r][q] += popcount(load_word(rows + r * stride + i * sizeof(Word)) ^
                                         queries[q * query_stride + i]);
}

#else

// Masks of the 2, 4, 8 and 16-bit fields in which bits are counted in parallel.
constexpr Word k2 = 0x5555555555555555U;
constexpr Word k4 = 0x3333333333333333U;
constexpr Word k8 = 0x0f0f0f0f0f0f0f0fU;
constexpr Word k16 = 0x00ff00ff00ff00ffU;

Word popcount(Word x) {
    x -= (x >> 1) & k2;
    x = (x & k4) + ((x >> 2) & k4);
    return ((x + (x >> 4)) & k8) * 0x0101010101010101U >> 56;
}

using Words = Word __attribute__((vector_size(16)));
constexpr std::size_t kWidth = sizeof(Words) / sizeof(Word);

Words difference(const std::uint8_t *row, const Word *query) {
    Words x, y;
    std::memcpy(&x, row, sizeof x);
    std::memcpy(&y, query, sizeof y);
    return x ^ y;
}

// Count the bits of three vectors per byte, 24 at most. The third vector is distributed over the
// two-bit fields of the others, which have room for one more (Lauradoux's merging).
Words count_bytes(Words x, Words y, Words z) {
    x = x - ((x >> 1) & k2) + (z & k2);
    y = y - ((y >> 1) & k2) + ((z >> 1) & k2);
    x = (x & k4) + ((x >> 2) & k4) + (y & k4) + ((y >> 2) & k4);
    return (x & k8) + ((x >> 4) & k8);
}

Word count_words(const std::uint8_t *row, const Word *query, std::size_t words) {
    constexpr std::size_t kStep = 3 * kWidth;
    constexpr std::size_t kSteps = 10;  // 10 * 24 fits in a byte
    Word count = 0;
    std::size_t i = 0;
    const auto at = [&](std::size_t word) {
        return difference(row + word * sizeof(Word), query + word);
    };
    while (words - i >= kWidth) {
        Words bytes{};
        for (std::size_t step = 0; step < kSteps && words - i >= kStep; ++step, i += kStep)
            bytes += count_bytes(at(i), at(i + kWidth), at(i + 2 * kWidth));
        Words pairs = (bytes & k16) + ((bytes >> 8) & k16);
        if (words - i < kStep && words - i >= kWidth) {
            const bool two = words - i >= 2 * kWidth;
            bytes = count_bytes(at(i), two ? at(i + kWidth) : Words{}, Words{});
            pairs += (bytes & k16) + ((bytes >> 8) & k16);
            i += two ? 2 * kWidth : kWidth;
        }
        count += (pairs[0] + pairs[1]) * 0x0001000100010001U >> 48;
    }
    for (; i < words; ++i) count += popcount(load_word(row + i * sizeof(Word)) ^ query[i]);
    return count;
}

template <std::size_t R, std::size_t Q>
void count_block(const std::uint8_t *rows, std::size_t stride, const Word *queries,
                 std::size_t query_stride, std::size_t words, Word (&counts)[R][Q]) {
    for (std::size_t r = 0; r < R; ++r)
        for (std::size_t q = 0; q < Q; ++q)
            counts[r][q] = count_words(rows + r * stride, queries + q * query_stride, words);
}

#endif

// Return the signatures as words, each padded with zeros.
std::vector<Word> to_words(Matrix<std::uint8_t> signatures, std::size_t padded) {
    std::vector<Word> words(signatures.rows * padded);
    for (std::size_t i = 0; i < signatures.rows; ++i)
        std::memcpy(&words[i * padded], signatures.row(i), signatures.columns);
    return words;
}

}  // namespace

void search_hamming(Matrix<std::uint8_t> base, Matrix<std::uint8_t> queries, std::size_t k,
                    std::int32_t *distances, std::int64_t *indices) {
    constexpr std::size_t kTileBytes = 16384;  // half of a small L1 cache
    const std::size_t bytes = base.columns, words = bytes / sizeof(Word);
    const std::size_t tail = bytes % sizeof(Word), padded = words + (tail != 0);
    const std::size_t tile_rows = std::min(base.rows, std::max<std::size_t>(4, kTileBytes / bytes));
    const std::vector<Word> query_words = to_words(queries, padded);
    std::vector<std::int32_t> counted(queries.rows * tile_rows);
    std::vector<Nearest<std::int32_t>> nearest(queries.rows, Nearest<std::int32_t>(k));

    for (std::size_t first = 0; first < base.rows; first += tile_rows) {
        const std::size_t rows = std::min(tile_rows, base.rows - first);
        for_each_block<2, 4, 4>(
            rows, queries.rows, [&](std::size_t row, std::size_t query, auto r, auto q) {
                const std::uint8_t *block = base.row(first + row);
                const Word *block_queries = &query_words[query * padded];
                Word counts[r()][q()] = {};
                count_block(block, bytes, block_queries, padded, words, counts);
                for (std::size_t i = 0; i < r(); ++i)
                    for (std::size_t j = 0; j < q(); ++j) {
                        if (tail != 0)
                            counts[i][j] +=
                                popcount(load_word(block + i * bytes + words * sizeof(Word), tail) ^
                                         block_queries[j * padded + words]);
                        counted[(query + j) * tile_rows + row + i] =
                            static_cast<std::int32_t>(counts[i][j]);
                    }
            });
        for (std::size_t q = 0; q < queries.rows; ++q)
            for (std::size_t r = 0; r < rows; ++r)
                nearest[q].offer(counted[q * tile_rows + r], static_cast<std::int64_t>(first + r));
    }
    for (std::size_t q = 0; q < queries.rows; ++q)
        nearest[q].finish([&](std::size_t rank, std::int32_t distance, std::int64_t index) {
            distances[q * k + rank] = distance;
            indices[q * k + rank] = index;
        });
}

}  // namespace vecsearch
