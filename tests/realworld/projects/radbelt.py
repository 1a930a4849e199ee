"""Compute Earth's magnetic field by the Fortran code."""

import numpy as np
import radbelt

shell, field = radbelt.igrf(-45.0, -30.0, 500.0, 2015.0)
assert 1.0 < shell < 2.0
assert 0.1 < field < 0.3
longitudes = np.linspace(-180, 180, 300)


def loop() -> None:
    radbelt.igrf(longitudes, 10.0, 700.0, 2015.0)
