"""Escape text, by the compiled function itself."""

from markupsafe import _speedups, escape

assert _speedups._escape_inner("<a href='x'>&\"") == "&lt;a href=&#39;x&#39;&gt;&amp;&#34;"
assert str(escape("1 < 2")) == "1 &lt; 2"
TEXT = ("plain text without anything to escape, " * 40 + "<b>") * 50


def loop() -> None:
    _speedups._escape_inner(TEXT)
