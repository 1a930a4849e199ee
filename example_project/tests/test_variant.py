"""Test the level that the module reports."""

from __future__ import annotations

import platform

import vecsearch


def test_compiled_for_names_a_level_or_the_architecture() -> None:
    levels = ("v1", "v2", "v3", "v4")
    machine = platform.machine()

    assert vecsearch.compiled_for() in (levels if machine in ("x86_64", "AMD64") else (machine,))
