"""Exact nearest neighbours over half-precision embeddings and over bit signatures.

Arrays are NumPy arrays, or anything else that speaks the buffer protocol or DLPack from this
machine's memory. They are read where they lie, without a copy, while other threads run.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import _core

if TYPE_CHECKING:
    from typing import Literal

    import numpy as np
    from numpy.typing import NDArray

__all__ = ["compiled_for", "gpu_count", "search_fp16", "search_hamming"]


def search_fp16(
    base: NDArray[np.float16],
    queries: NDArray[np.float16],
    k: int,
    metric: Literal["ip", "l2"] = "ip",
    device: Literal["cpu", "gpu"] = "cpu",
) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Find the `k` nearest rows of `base` to each row of `queries`, exactly.

    `base` has shape (n, dim), `queries` (q, dim), both float16 in C order. Returns scores and row
    numbers, each of shape (q, k), best first; of equal scores the smaller row number comes first.
    With metric "ip" the score is the inner product (greatest first), with "l2" the squared distance
    (smallest first). A score that is not a number comes last.

    Sums are float32, in eight lanes. Inner products are the same bits in every variant: a product
    of two float16 is exact in float32, so contraction to FMA changes nothing. They err by at most
    (dim / 8 + 4) * 2**-24 * sum(abs(a * b)) from the exact value. Squared distances err by at most
    (dim / 8 + 8) * 2**-24 of themselves, so two variants differ by at most twice that.

    With device "gpu" a GPU computes the scores, where the package was built for one (`gpu_count`).
    All of the above holds there too: inner products are the same bits again.

    Raises TypeError for anything but float16 arrays, ValueError for a wrong shape, order, `k`
    (1 to n), metric or device, RuntimeError where there is no GPU to use.
    """
    return _core.search_fp16(base, queries, k, metric, device)


def search_hamming(
    base: NDArray[np.uint8] | NDArray[np.uint64],
    queries: NDArray[np.uint8] | NDArray[np.uint64],
    k: int,
) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
    """Find the `k` rows of `base` that differ in the fewest bits from each row of `queries`.

    `base` has shape (n, words), `queries` (q, words), both uint8 or both uint64 in C order. Returns
    distances in bits and row numbers, each of shape (q, k), nearest first; of equal distances the
    smaller row number comes first. Exact in every variant.

    Raises TypeError for other types, ValueError for a wrong shape, order or `k` (1 to n).
    """
    return _core.search_hamming(base, queries, k)


def gpu_count() -> int:
    """Return how many GPUs `search_fp16` can use; 0 where the package was built for none."""
    return _core.gpu_count()


def compiled_for() -> str:
    """Tell which x86-64 level ("v1" to "v4") the kernels are compiled for, or the architecture."""
    return _core.compiled_for()
