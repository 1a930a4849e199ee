"""Turn geodetic coordinates into magnetic ones and back."""

import apexpy
import numpy as np

apex = apexpy.Apex(date=2015.3)
lat, lon = apex.geo2apex(60, 15, 300)
back = apex.apex2geo(lat, lon, 300)
assert np.allclose(back[:2], (60, 15), atol=1e-2)
assert 50 < lat < 62
latitudes = np.linspace(-80, 80, 2000)


def loop() -> None:
    apex.geo2apex(latitudes, 15, 300)
