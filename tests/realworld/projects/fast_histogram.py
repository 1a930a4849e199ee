"""Fill a histogram and compare it with NumPy's."""

import numpy as np
from fast_histogram import histogram1d, histogram2d

x, y = np.random.default_rng(1).random((2, 1_000_000))
assert np.array_equal(histogram1d(x, 32, (0, 1)), np.histogram(x, 32, (0, 1))[0])


def loop() -> None:
    histogram1d(x, 100, (0, 1))
    histogram2d(x, y, (30, 30), ((0, 1), (0, 1)))
