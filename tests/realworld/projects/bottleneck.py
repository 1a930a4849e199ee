"""Reduce and move over arrays, by each of the compiled modules."""

import bottleneck as bn
import numpy as np

values = np.random.default_rng(1).random((1000, 1000))
assert np.isclose(bn.nansum(values), values.sum())
assert np.isclose(bn.move_mean(np.arange(10.0), 3)[-1], 8)
assert bn.nonreduce_axis.rankdata([3.0, 1.0])[0] == 2
replaced = np.array([1.0, np.nan])
bn.replace(replaced, np.nan, 0)
assert replaced[1] == 0
for module in (bn.move, bn.nonreduce, bn.nonreduce_axis, bn.reduce):
    assert module.__file__.endswith(".so")


def loop() -> None:
    bn.nansum(values, axis=1)
    bn.nanvar(values)
    bn.move_mean(values, 20)
