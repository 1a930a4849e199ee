"""Transform and transform back, by each of the compiled modules."""

import numpy as np
import pywt
from pywt._extensions import _cwt, _dwt, _pywt, _swt

picture = np.random.default_rng(1).random((256, 256))
parts = pywt.wavedec2(picture, "db4", level=3)
assert np.allclose(pywt.waverec2(parts, "db4"), picture)
line = picture[0]
assert np.allclose(pywt.iswt(pywt.swt(line, "haar", level=2), "haar"), line)
assert pywt.cwt(line, [2, 4], "morl")[0].shape == (2, 256)
assert all(module.__file__.endswith(".so") for module in (_cwt, _dwt, _pywt, _swt))
big = np.random.default_rng(2).random((1024, 1024))


def loop() -> None:
    pywt.wavedec2(big, "db4", level=4)
