"""The timings of the packages' loops, kept in timings.json until they are measured again."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import cast

from realworld.outcome import Outcome
from realworld.recipes import HERE


@dataclass(frozen=True, kw_only=True, slots=True)
class Timing:
    """The best seconds of a loop from the v1 and the v3 wheel, and the median of their ratios."""

    when: str
    v1: float
    v3: float
    ratio: float


def read_timings(file: Path = HERE / "timings.json") -> dict[str, Timing]:
    """Return the stored timings by package."""
    rows = cast("dict[str, dict[str, object]]", json.loads(file.read_text(encoding="utf-8")))
    return {name: _timing(row) for name, row in rows.items()}


def store_timings(outcomes: Mapping[str, Outcome], file: Path = HERE / "timings.json") -> None:
    """Replace the stored timings by those of `outcomes` that have one."""
    known = read_timings(file)
    for name, outcome in outcomes.items():
        if outcome.loop:
            known[name] = Timing(when=outcome.when, **outcome.loop)
    rows = {name: asdict(timing) for name, timing in known.items()}
    file.write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")


def _timing(row: Mapping[str, object]) -> Timing:
    return Timing(
        when=str(row["when"]),
        v1=float(str(row["v1"])),
        v3=float(str(row["v3"])),
        ratio=float(str(row["ratio"])),
    )
