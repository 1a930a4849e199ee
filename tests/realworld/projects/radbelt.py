"""Compute Earth's magnetic field by the Fortran code."""

import numpy as np
import radbelt

shell, ratio = radbelt.igrf(-45.0, -30.0, 500.0, 2015.0)
assert 1.3 < shell < 1.5
assert 1.0 < ratio < 3.0
assert radbelt.igrf(-45.0, -30.0, 5000.0, 2015.0)[0] > shell
longitudes = np.linspace(-180, 180, 300)


def loop() -> None:
    radbelt.igrf(longitudes, 10.0, 700.0, 2015.0)
