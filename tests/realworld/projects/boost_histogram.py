"""Fill a histogram and compare it with NumPy's."""

import boost_histogram as bh
import numpy as np

values = np.random.default_rng(1).normal(size=1_000_000)
histogram = bh.Histogram(bh.axis.Regular(100, -3, 3))
histogram.fill(values)
assert np.array_equal(histogram.view(), np.histogram(values, bins=100, range=(-3, 3))[0])


def loop() -> None:
    bh.Histogram(bh.axis.Regular(100, -3, 3)).fill(values)
