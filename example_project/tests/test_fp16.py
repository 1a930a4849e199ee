"""Compare search_fp16 with NumPy in double precision."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Literal

import numpy as np
import pytest
import vecsearch

if TYPE_CHECKING:
    from numpy.typing import NDArray

Metric = Literal["ip", "l2"]
METRICS: tuple[Metric, ...] = ("ip", "l2")
EVERY_HALF = np.arange(1 << 16, dtype=np.uint16).view(np.float16)


def embeddings(rows: int, dim: int, seed: int) -> NDArray[np.float16]:
    return np.random.default_rng(seed).normal(size=(rows, dim)).astype(np.float16)


def exact_scores(
    base: NDArray[np.float16], queries: NDArray[np.float16], metric: Metric
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the scores of every pair, and the documented bounds of their errors."""
    x, y = base.astype(np.float64), queries.astype(np.float64)
    dim = base.shape[1]
    if metric == "ip":
        return y @ x.T, (dim / 8 + 4) * 2.0**-24 * (np.abs(y) @ np.abs(x).T)
    scores = ((y[:, None, :] - x[None, :, :]) ** 2).sum(axis=2)
    return scores, (dim / 8 + 8) * 2.0**-24 * scores


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("dim", [1, 2, 7, 8, 9, 16, 31, 64, 384, 1000])
@pytest.mark.parametrize("queries", [1, 3, 4, 5, 9])
@pytest.mark.parametrize("rows", [1, 2, 7, 100])
def test_scores_are_within_the_stated_bound(
    rows: int, queries: int, dim: int, metric: Metric
) -> None:
    base, asked = embeddings(rows, dim, seed=dim), embeddings(queries, dim, seed=dim + 1)

    scores, indices = vecsearch.search_fp16(base, asked, rows, metric)

    exact, bound = exact_scores(base, asked, metric)
    assert scores.dtype == np.float32
    assert indices.dtype == np.int64
    assert (np.sort(indices, axis=1) == np.arange(rows)).all()
    error = np.abs(scores - np.take_along_axis(exact, indices, axis=1))
    assert (error <= np.take_along_axis(bound, indices, axis=1)).all()
    steps = np.diff(scores, axis=1)
    assert (steps <= 0).all() if metric == "ip" else (steps >= 0).all()


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("queries", [1, 6])
def test_the_best_k_are_the_first_k_of_all(queries: int, metric: Metric) -> None:
    base, asked = embeddings(3000, 48, seed=1), embeddings(queries, 48, seed=2)
    all_scores, all_indices = vecsearch.search_fp16(base, asked, len(base), metric)
    exact, _ = exact_scores(base, asked, metric)
    best = exact.argmax(axis=1) if metric == "ip" else exact.argmin(axis=1)

    scores, indices = vecsearch.search_fp16(base, asked, 10, metric)

    assert (scores == all_scores[:, :10]).all()
    assert (indices == all_indices[:, :10]).all()
    assert (indices[:, 0] == best).all()


@pytest.mark.parametrize("metric", METRICS)
def test_one_query_scores_like_many(metric: Metric) -> None:
    base, asked = embeddings(500, 64, seed=3), embeddings(7, 64, seed=4)
    scores, indices = vecsearch.search_fp16(base, asked, 20, metric)

    for i in range(len(asked)):
        one_score, one_index = vecsearch.search_fp16(base, asked[i : i + 1], 20, metric)
        assert (one_score[0] == scores[i]).all()
        assert (one_index[0] == indices[i]).all()


@pytest.mark.parametrize("metric", METRICS)
def test_equal_scores_rank_by_row_number(metric: Metric) -> None:
    base = np.repeat(embeddings(3, 16, seed=5), 40, axis=0)

    _, indices = vecsearch.search_fp16(base, base[:1], 50, metric)

    assert indices[0, :40].tolist() == list(range(40))
    assert (np.diff(indices[0, 40:]) == 1).all()


@pytest.mark.parametrize("dim", [1, 8])
@pytest.mark.parametrize("queries", [1, 4])
def test_every_half_is_converted_as_by_numpy(queries: int, dim: int) -> None:
    base = np.zeros((1 << 16, dim), np.float16)
    base[:, 0] = EVERY_HALF
    ones = np.ones((queries, dim), np.float16)

    scores, indices = vecsearch.search_fp16(base, ones, len(base))

    expected = EVERY_HALF.astype(np.float32)
    for score, index in zip(scores, indices, strict=True):
        np.testing.assert_array_equal(score, expected[index])


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("queries", [1, 4])
def test_nan_scores_rank_last(queries: int, metric: Metric) -> None:
    base = np.ones((20, 8), np.float16)
    base[3, 5] = base[11, 0] = np.nan
    base[7, 2] = np.inf
    asked = np.ones((queries, 8), np.float16)

    scores, indices = vecsearch.search_fp16(base, asked, 20, metric)

    assert (indices[:, -2:] == [3, 11]).all()
    assert np.isnan(scores[:, -2:]).all()
    assert (np.isinf(scores).sum(axis=1) == 1).all()
    assert (indices[:, 0 if metric == "ip" else -3] == 7).all()


def test_read_only_and_unaligned_arrays_are_read_in_place() -> None:
    storage = np.zeros(16 * 8 * 2 + 1, np.uint8)
    base = storage[1:].view(np.float16).reshape(16, 8)
    base[:] = embeddings(16, 8, seed=6)
    expected, _ = vecsearch.search_fp16(base.copy(), base[:1].copy(), 16)
    base.flags.writeable = False

    scores, _ = vecsearch.search_fp16(base, base[:1], 16)

    assert (scores == expected).all()


def test_no_queries_give_no_rows() -> None:
    scores, indices = vecsearch.search_fp16(embeddings(4, 8, seed=7), embeddings(0, 8, seed=8), 2)

    assert scores.shape == indices.shape == (0, 2)


def longest_wait_during_a_search() -> float:
    """Return the longest pause of this thread, as a fraction of the concurrent search."""
    base, asked = embeddings(4000, 256, seed=9), embeddings(256, 256, seed=10)
    times: list[float] = []

    def search() -> None:
        times.append(time.perf_counter())
        vecsearch.search_fp16(base, asked, 5)
        times.append(time.perf_counter())

    thread = threading.Thread(target=search)
    longest, last = 0.0, time.perf_counter()
    thread.start()
    searching = True
    while searching:
        searching = thread.is_alive()
        now = time.perf_counter()
        longest, last = max(longest, now - last), now
    return longest / (times[1] - times[0])


def test_other_threads_run_during_a_search() -> None:
    # A loaded machine may pause this thread too, but not for most of the search every time.
    assert any(longest_wait_during_a_search() < 0.5 for _ in range(5))


FLOATS = np.zeros((4, 8), np.float16)


@pytest.mark.parametrize(
    ("base", "queries", "k", "metric", "error", "message"),
    [
        (
            FLOATS.astype(np.float32),
            FLOATS,
            1,
            "ip",
            TypeError,
            "base must be float16, not float32",
        ),
        (FLOATS, FLOATS.view(np.int16), 1, "ip", TypeError, "queries must be float16, not int16"),
        (FLOATS.tolist(), FLOATS, 1, "ip", TypeError, "base is not an array .*: list"),
        (FLOATS[0], FLOATS, 1, "ip", ValueError, r"base must have two dimensions.*\(8,\)"),
        (FLOATS, FLOATS[None], 1, "ip", ValueError, r"queries must have two .*\(1, 4, 8\)"),
        (
            FLOATS,
            FLOATS[:, :7].copy(),
            1,
            "ip",
            ValueError,
            r"differ in columns.*\(4, 8\).*\(4, 7\)",
        ),
        (FLOATS[:, ::2], FLOATS[:, :4].copy(), 1, "ip", ValueError, "base must be contiguous"),
        (FLOATS.T, FLOATS, 1, "ip", ValueError, "base must be contiguous"),
        (FLOATS[::2], FLOATS, 1, "ip", ValueError, "base must be contiguous"),
        (FLOATS[:, :0], FLOATS[:, :0], 1, "ip", ValueError, "without columns"),
        (FLOATS, FLOATS, 0, "ip", ValueError, "k must be between 1 and the 4 rows of base, not 0"),
        (FLOATS, FLOATS, 5, "ip", ValueError, "not 5"),
        (FLOATS, FLOATS, -(10**30), "ip", ValueError, "not -1000"),
        (FLOATS[:0], FLOATS, 1, "ip", ValueError, "the 0 rows"),
        (FLOATS, FLOATS, 1, "cosine", ValueError, 'metric must be "ip" or "l2", not "cosine"'),
    ],
)
def test_wrong_input_is_reported(
    base: object, queries: object, k: int, metric: str, error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        vecsearch.search_fp16(base, queries, k, metric)  # type: ignore[arg-type]  # wrong on purpose
