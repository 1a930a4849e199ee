"""Match what the standard library cannot."""

import regex

assert regex.findall(r"\p{Lu}\w+", "Äpfel und Birnen") == ["Äpfel", "Birnen"]
assert regex.fullmatch(r"(?:cats){e<=1}", "cat")
text = "The quick brown fox jumps over 13 lazy dogs. " * 2000
pattern = regex.compile(r"\b(?<word>\p{L}+)\s+(?<number>\d+)\b")


def loop() -> None:
    pattern.findall(text)
