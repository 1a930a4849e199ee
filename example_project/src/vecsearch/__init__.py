"""Exact nearest neighbours over half-precision embeddings and over bit signatures.

Arrays are NumPy arrays, or any other object in CPU memory that supports the buffer protocol or
DLPack. They are read in place, without a copy, and the GIL is released during a search.
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
    numbers, each of shape (q, k), best first. Of equal scores the smaller row number comes first.
    With metric "ip" the score is the inner product (greatest first), with "l2" the squared distance
    (smallest first). NaN scores come last.

    Sums are float32, in eight lanes. Inner products are bit-identical in every variant: a product
    of two float16 is exact in float32, so contraction to FMA changes nothing. Their error is at
    most (dim / 8 + 4) * 2**-24 * sum(abs(a * b)). The relative error of squared distances is at
    most (dim / 8 + 8) * 2**-24, so two variants differ by at most twice that.

    With device "gpu" a GPU computes the scores, if the package was built for one (`gpu_count`).
    All of the above applies: inner products are bit-identical to those of the CPU.

    Raises TypeError for anything but float16 arrays, ValueError for a wrong shape, order, `k`
    (1 to n), metric or device, and RuntimeError if there is no usable GPU.
    """
    return _core.search_fp16(base, queries, k, metric, device)


def search_hamming(
    base: NDArray[np.uint8] | NDArray[np.uint64],
    queries: NDArray[np.uint8] | NDArray[np.uint64],
    k: int,
) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
    """Find the `k` rows of `base` that differ in the fewest bits from each row of `queries`.

    `base` has shape (n, words), `queries` (q, words), both uint8 or both uint64 in C order. Returns
    distances in bits and row numbers, each of shape (q, k), nearest first. Of equal distances the
    smaller row number comes first. Results are exact in every variant.

    Raises TypeError for other types, ValueError for a wrong shape, order or `k` (1 to n).
    """
    return _core.search_hamming(base, queries, k)


def gpu_count() -> int:
    """Return the number of GPUs that `search_fp16` can use; 0 if it was built without GPU code."""
    return _core.gpu_count()


def compiled_for() -> str:
    """Return the x86-64 level ("v1" to "v4") of the kernels, or the architecture's name."""
    return _core.compiled_for()
