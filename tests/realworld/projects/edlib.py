"""Align two texts, and two long sequences."""

import edlib

found = edlib.align("elephant", "telephone", mode="NW", task="path")
assert found["editDistance"] == 3
query = "ACGTTGCAAC" * 400
target = "ACGTAGCTAC" * 420


def loop() -> None:
    edlib.align(query, target, mode="NW", task="distance")
