"""Contour a circle: the line lies where the function has the level."""

import contourpy
import numpy as np

y, x = np.mgrid[-2:2:400j, -2:2:400j]
z = x * x + y * y
lines = contourpy.contour_generator(x, y, z).lines(1.0)
assert len(lines) == 1
assert np.allclose(np.hypot(lines[0][:, 0], lines[0][:, 1]), 1.0, atol=1e-3)
waves = np.sin(20 * x) * np.cos(17 * y)


def loop() -> None:
    contourpy.contour_generator(x, y, waves, name="serial").filled(-0.3, 0.4)
