"""Tables in JSON files, loaded by name."""

from __future__ import annotations

import functools
import json
from pathlib import Path
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from variantbuild.types import JSONValue


@functools.cache
def load_table(name: str) -> dict[str, JSONValue]:
    """Return the table `name` (without `.json`) of this directory; read once per process."""
    text = (Path(__file__).parent / f"{name}.json").read_text(encoding="utf-8")
    return cast("dict[str, JSONValue]", json.loads(text))
