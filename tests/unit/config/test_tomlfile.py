"""TOML from outside: mistakes and hostile shapes are errors that name the file."""

from __future__ import annotations

import os
import time
import tracemalloc
from pathlib import Path

import pytest

from variantbuild.config.tomlfile import read_toml
from variantbuild.errors import ConfigError

#: Shapes on which Python's parser recurses, or needs the square of their size.
SHAPES = {
    "arrays": "a = " + "[" * 50_000 + "]" * 50_000,
    "inline tables": "a = " + "{a=" * 50_000 + "1" + "}" * 50_000,
    "arrays and tables": "a = " + "[{a=" * 50_000 + "1" + "}]" * 50_000,
    "open arrays": "a = " + "[" * 100_000,
    "dotted key": "a" + ".a" * 50_000 + " = 1",
    "dotted key with spaces": "a" + " . a" * 50_000 + " = 1",
    "dotted key of quotes": '"a"' + '."a.b"' * 50_000 + " = 1",
    "dotted key of single quotes": "'a'" + ".'a'" * 50_000 + " = 1",
    "heading": "[a" + ".a" * 50_000 + "]",
    "heading of an array": "[[a" + ".a" * 50_000 + "]]",
    "key in an inline table": "a = {a" + ".a" * 50_000 + " = 1}",
    "sixty-five arrays": "a = " + "[" * 70 + "]" * 70,
}


@pytest.mark.parametrize("shape", SHAPES)
def test_deep_files(shape: str, tmp_path: Path) -> None:
    path = tmp_path / "pyproject.toml"
    path.write_text(SHAPES[shape] + "\n", encoding="utf-8")
    tracemalloc.start()
    started = time.process_time()
    try:
        with pytest.raises(ConfigError, match=f"^{path} "):
            read_toml(path, required=True)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 64 << 20
    assert time.process_time() - started < 10


def test_dots_in_text_are_no_keys(tmp_path: Path) -> None:
    path = tmp_path / "pyproject.toml"
    text = (
        'a = "'
        + "x." * 500
        + '"\nb = """Two words. '
        + "More words. " * 500
        + '"""\n[tool.a.b.c]\nd.e = 1.5\n'
    )
    path.write_text(text, encoding="utf-8")
    assert read_toml(path, required=True)["a"] == "x." * 500


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a = 1" + "0" * 5000, "is not valid TOML"),
        ("a = 2024-13-45", "is not valid TOML"),
        ("a = 99:99:99", "is not valid TOML"),
        ("\x00", "is not valid TOML"),
        ("a = '\ud800'", "is not valid TOML"),
        ("a = '" + "x" * (5 << 20) + "'", "is larger than 4 MiB"),
    ],
)
def test_values_that_the_parser_cannot_take(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "config.toml"
    path.write_bytes(text.encode("utf-8", "surrogatepass"))
    with pytest.raises(ConfigError, match=message):
        read_toml(path, required=False)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no FIFOs")
@pytest.mark.parametrize("kind", ["fifo", "device"])
def test_files_that_never_end(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "pyproject.toml"
    if kind == "fifo":
        os.mkfifo(path)
    else:
        path.symlink_to("/dev/zero")
    with pytest.raises(ConfigError, match="is not a regular file"):
        read_toml(path, required=True)
