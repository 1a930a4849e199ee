"""Print the directory of VariantBuild.cmake, for `-DCMAKE_MODULE_PATH=…`."""

from __future__ import annotations

from pathlib import Path

print(Path(__file__).resolve().parent.as_posix())
