"""The recorded table of the example project, from which its README is generated."""

from __future__ import annotations

import re
import runpy
from pathlib import Path

import pytest

EXAMPLE = Path(__file__).parents[2] / "example_project"
HEAD, *ROWS = (EXAMPLE / "benchmark.txt").read_text(encoding="utf-8").splitlines()


def test_it_is_what_the_benchmark_prints() -> None:
    """Same cases in the same order, same levels, same columns."""
    benchmark = runpy.run_path(str(EXAMPLE / "benchmark.py"), run_name="benchmark")
    levels = HEAD.split()[:-2]
    assert f"{'':<44}{''.join(f'{level:>18}' for level in levels)}  same results" == HEAD
    assert set(levels) <= set(benchmark["LEVELS"])
    cases = [row[:44].rstrip() for row in ROWS]
    assert cases == list(benchmark["CASES"])


@pytest.mark.parametrize("row", ROWS)
def test_its_figures_agree(row: str) -> None:
    """A ratio is the median of ratios, so that it is only near the ratio of the medians."""
    cells = re.findall(r"([\d.]+) ms +([\d.]+)x", row)
    assert len(cells) == len(HEAD.split()) - 2
    first = float(cells[0][0])
    assert cells[0][1] == "1.00"
    for milliseconds, ratio in cells:
        assert first / float(milliseconds) == pytest.approx(float(ratio), rel=0.2)
    assert row.split()[-1] in ("both", "neighbours")
