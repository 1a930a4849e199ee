"""Halve the triangles of a wavy plane."""

import fast_simplification
import numpy as np

side = 200
y, x = np.mgrid[0 : 1 : side * 1j, 0 : 1 : side * 1j]
points = np.column_stack([x.ravel(), y.ravel(), np.sin(9 * x.ravel() * y.ravel())])
first = (np.arange(side - 1) + side * np.arange(side - 1)[:, None]).ravel()
lower = np.column_stack([first, first + 1, first + side])
upper = np.column_stack([first + 1, first + side + 1, first + side])
faces = np.vstack([lower, upper]).astype(np.int32)
less = fast_simplification.simplify(points, faces, 0.5)[1]
assert abs(len(less) - len(faces) / 2) < 0.02 * len(faces)


def loop() -> None:
    fast_simplification.simplify(points, faces, 0.5)
