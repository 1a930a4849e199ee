"""Evaluate an expression over arrays."""

import numexpr
import numpy as np

numexpr.set_num_threads(1)
a, b = np.random.default_rng(1).random((2, 1_000_000))
assert np.allclose(numexpr.evaluate("2*a + 3*b*b - a/(b + 1)"), 2 * a + 3 * b * b - a / (b + 1))


def loop() -> None:
    numexpr.evaluate("2*a + 3*b*b - a/(b + 1)")
