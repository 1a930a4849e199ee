"""Compare search_fp16 on a GPU with the CPU."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
import vecsearch

if TYPE_CHECKING:
    from numpy.typing import NDArray

needs_gpu = pytest.mark.skipif(
    vecsearch.gpu_count() == 0, reason="no GPU, or built without GPU code"
)


def embeddings(rows: int, dim: int, seed: int) -> NDArray[np.float16]:
    return np.random.default_rng(seed).normal(size=(rows, dim)).astype(np.float16)


@needs_gpu
@pytest.mark.parametrize("dim", [1, 7, 8, 9, 384, 1000])
@pytest.mark.parametrize(("rows", "queries"), [(1, 1), (100, 3), (3000, 130), (70_000, 2)])
def test_inner_products_are_bit_identical(rows: int, queries: int, dim: int) -> None:
    base, asked = embeddings(rows, dim, seed=1), embeddings(queries, dim, seed=2)
    k = min(rows, 10)
    on_cpu = vecsearch.search_fp16(base, asked, k)
    on_gpu = vecsearch.search_fp16(base, asked, k, device="gpu")
    assert (on_cpu[1] == on_gpu[1]).all()
    assert (on_cpu[0].view(np.uint32) == on_gpu[0].view(np.uint32)).all()


@needs_gpu
@pytest.mark.parametrize("dim", [8, 384, 1000])
def test_squared_distances_are_within_the_stated_bound(dim: int) -> None:
    base, asked = embeddings(2000, dim, seed=3), embeddings(5, dim, seed=4)
    on_cpu, _ = vecsearch.search_fp16(base, asked, 2000, "l2")
    on_gpu, _ = vecsearch.search_fp16(base, asked, 2000, "l2", device="gpu")
    assert (np.abs(on_cpu - on_gpu) <= 2 * (dim / 8 + 8) * 2.0**-24 * on_cpu).all()


@needs_gpu
def test_every_half_is_converted_as_on_the_cpu() -> None:
    base = np.arange(1 << 16, dtype=np.uint16).view(np.float16).reshape(-1, 1)
    one = np.ones((1, 1), np.float16)
    on_cpu, rows_cpu = vecsearch.search_fp16(base, one, 1 << 16)
    on_gpu, rows_gpu = vecsearch.search_fp16(base, one, 1 << 16, device="gpu")
    assert (rows_cpu == rows_gpu).all()
    assert np.array_equal(on_cpu, on_gpu, equal_nan=True)


def test_an_unknown_device_is_an_error() -> None:
    base = embeddings(3, 4, seed=5)
    with pytest.raises(ValueError, match='"cpu" or "gpu", not "tpu"'):
        vecsearch.search_fp16(base, base, 1, device="tpu")  # type: ignore[arg-type]
    if vecsearch.gpu_count() == 0:
        with pytest.raises(RuntimeError, match="GPU"):
            vecsearch.search_fp16(base, base, 1, device="gpu")
