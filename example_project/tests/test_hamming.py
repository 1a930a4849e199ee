"""Compare search_hamming with NumPy's unpacked bits."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
import vecsearch

if TYPE_CHECKING:
    from numpy.typing import NDArray


def signatures(rows: int, width: int, seed: int) -> NDArray[np.uint8]:
    return np.random.default_rng(seed).integers(0, 256, (rows, width), np.uint8)


def exact_distances(base: NDArray[np.uint8], queries: NDArray[np.uint8]) -> NDArray[np.int64]:
    bits = np.unpackbits(base[None] ^ queries[:, None], axis=2)
    distances: NDArray[np.int64] = bits.sum(axis=2, dtype=np.int64)
    return distances


# Widths around whole words, whole vectors, and the limit of byte counters.
@pytest.mark.parametrize("width", [1, 7, 8, 9, 16, 24, 32, 40, 47, 48, 49, 64, 128, 479, 480, 1003])
@pytest.mark.parametrize("queries", [1, 4, 6])
@pytest.mark.parametrize("rows", [1, 5, 60])
def test_distances_and_neighbours_are_exact(rows: int, queries: int, width: int) -> None:
    base, asked = signatures(rows, width, seed=width), signatures(queries, width, seed=width + 1)

    distances, indices = vecsearch.search_hamming(base, asked, rows)

    exact = exact_distances(base, asked)
    order = np.argsort(exact, axis=1, kind="stable")
    assert distances.dtype == np.int32
    assert (indices == order).all()
    assert (distances == np.take_along_axis(exact, order, axis=1)).all()


@pytest.mark.parametrize("width", [8, 96, 480, 8000])
def test_all_bits_differ(width: int) -> None:
    base = np.full((5, width), 255, np.uint8)

    distances, _ = vecsearch.search_hamming(base, np.zeros((1, width), np.uint8), 5)

    assert distances.tolist() == [[width * 8] * 5]


def test_words_give_the_same_results_as_their_bytes() -> None:
    base, asked = signatures(200, 64, seed=1), signatures(9, 64, seed=2)
    distances, indices = vecsearch.search_hamming(base, asked, 15)

    got = vecsearch.search_hamming(base.view(np.uint64), asked.view(np.uint64), 15)

    assert np.array_equal(got[0], distances)
    assert np.array_equal(got[1], indices)


def test_equal_distances_rank_by_row_number() -> None:
    base = signatures(3000, 2, seed=3)  # many ties across many tiles

    _, indices = vecsearch.search_hamming(base, base[:5], 700)

    order = np.argsort(exact_distances(base, base[:5]), axis=1, kind="stable")
    assert (indices == order[:, :700]).all()


def test_unaligned_arrays_are_read_in_place() -> None:
    base = signatures(1, 50 * 24 + 3, seed=4)[0, 3:].reshape(50, 24)

    distances, indices = vecsearch.search_hamming(base, base[7:8], 1)

    assert (distances[0, 0], indices[0, 0]) == (0, 7)


BYTES = np.zeros((4, 8), np.uint8)


@pytest.mark.parametrize(
    ("base", "queries", "k", "error", "message"),
    [
        (BYTES.view(np.int8), BYTES, 1, TypeError, "base must be uint8 or uint64, not int8"),
        (BYTES.view(np.bool_), BYTES, 1, TypeError, "not bool"),
        (BYTES.view(np.uint64), BYTES, 1, TypeError, "differ in type: uint64 and uint8"),
        (BYTES[:, ::2], BYTES[:, :4].copy(), 1, ValueError, "base must be contiguous"),
        (BYTES, BYTES[:, :4].copy(), 1, ValueError, "differ in columns"),
        (BYTES, b"12345678", 1, ValueError, "queries must have two dimensions"),
        (BYTES, None, 1, TypeError, "queries is not an array .*: NoneType"),
        (BYTES, BYTES, 5, ValueError, "k must be between 1 and the 4 rows"),
    ],
)
def test_wrong_input_is_reported(
    base: object, queries: object, k: int, error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        vecsearch.search_hamming(base, queries, k)  # type: ignore[arg-type]  # wrong on purpose
