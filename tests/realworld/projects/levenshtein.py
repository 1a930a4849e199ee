"""Compare texts."""

import Levenshtein

assert Levenshtein.distance("lewenstein", "levenshtein") == 2
assert Levenshtein.median(["spam", "spom", "span"]) == "spam"
words = [f"{i * 7919 % 100_003} some words of length {i % 13}" for i in range(60)]


def loop() -> None:
    Levenshtein.median(words)
