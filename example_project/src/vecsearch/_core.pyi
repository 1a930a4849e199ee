import numpy as np
from numpy.typing import NDArray

def search_fp16(
    base: NDArray[np.float16],
    queries: NDArray[np.float16],
    k: int,
    metric: str = "ip",
    device: str = "cpu",
) -> tuple[NDArray[np.float32], NDArray[np.int64]]: ...
def search_hamming(
    base: NDArray[np.uint8] | NDArray[np.uint64],
    queries: NDArray[np.uint8] | NDArray[np.uint64],
    k: int,
) -> tuple[NDArray[np.int32], NDArray[np.int64]]: ...
def gpu_count() -> int: ...
def compiled_for() -> str: ...
