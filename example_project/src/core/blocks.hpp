// Shared by both searches: visiting base and queries in blocks, and keeping the best k.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <type_traits>
#include <vector>

namespace vecsearch {

template <std::size_t N>
using Count = std::integral_constant<std::size_t, N>;

// Call visit(row, query, Count<R>, Count<Q>) so that the blocks cover rows x queries. A block of
// ManyRows x ManyQueries uses each loaded value several times. The remainder is visited in columns
// of FewRows x 1, and finally one by one.
template <std::size_t ManyRows, std::size_t ManyQueries, std::size_t FewRows, class Visit>
void for_each_block(std::size_t rows, std::size_t queries, Visit &&visit) {
    std::size_t query = 0;
    for (; query + ManyQueries <= queries; query += ManyQueries) {
        std::size_t row = 0;
        for (; row + ManyRows <= rows; row += ManyRows)
            visit(row, query, Count<ManyRows>{}, Count<ManyQueries>{});
        for (; row < rows; ++row) visit(row, query, Count<1>{}, Count<ManyQueries>{});
    }
    for (; query < queries; ++query) {
        std::size_t row = 0;
        for (; row + FewRows <= rows; row += FewRows) visit(row, query, Count<FewRows>{}, Count<1>{});
        for (; row < rows; ++row) visit(row, query, Count<1>{}, Count<1>{});
    }
}

// The k smallest keys seen so far, as a heap with the worst of them on top.
template <class Key>
class Nearest {
public:
    explicit Nearest(std::size_t k) : k_(k) { hits_.reserve(k); }

    // Indices must be ascending, so that of equal keys the earlier one is kept.
    void offer(Key key, std::int64_t index) {
        if (hits_.size() == k_) {
            if (key >= hits_.front().key) return;
            const Hit hit{key, index};
            if (!before(hit, hits_.front())) return;  // a NaN displaces no hit
            std::pop_heap(hits_.begin(), hits_.end(), before);
            hits_.back() = hit;
        } else {
            hits_.push_back({key, index});
        }
        std::push_heap(hits_.begin(), hits_.end(), before);
    }

    // Call take(rank, key, index) for rank 0 (the best) to k - 1.
    template <class Take>
    void finish(Take &&take) {
        std::sort_heap(hits_.begin(), hits_.end(), before);
        for (std::size_t i = 0; i < hits_.size(); ++i) take(i, hits_[i].key, hits_[i].index);
    }

private:
    struct Hit {
        Key key;
        std::int64_t index;
    };

    static bool before(const Hit &a, const Hit &b) {
        if (a.key < b.key || b.key < a.key) return a.key < b.key;
        const bool a_is_nan = a.key != a.key, b_is_nan = b.key != b.key;
        return a_is_nan == b_is_nan ? a.index < b.index : b_is_nan;
    }

    std::size_t k_;
    std::vector<Hit> hits_;
};

}  // namespace vecsearch
