"""Render docs/realworld.md from the results: a table of packages, and a table of timings."""

from __future__ import annotations

from collections.abc import Mapping

from realworld.outcome import Outcome, TargetOutcome
from realworld.recipes import TARGETS, Recipe
from realworld.verdict import verdict

_HEAD = """# Real packages that were built and checked
The table lists source distributions from PyPI. Each was built through variantbuild with its own
build backend as the delegate. `python tests/realworld/run.py --all` builds them and writes this
page. The sdists are pinned with their digests in `tests/realworld/packages.toml`.
"""

_LEGEND = """
A target passes if all of this holds:

- Each compiler call of the build has its `-march`.
- The audit finds that level in every compiled file.
- pip and uv install the wheel.
- The package's own check passes in both environments, and fails when any compiled file is
  removed.

The columns:

- `modules`: the compiled files, and the evidence of their level: recorded flags (`recorded flags`),
  instructions, or the ISA note alone.
- `needs`: the highest level of their instructions, which depends on the compiler.
- `native`: the exact microarchitecture if it is known, else the level.
- `cost`: the additional CPU seconds of the build for v1, compared with the same build without
  variantbuild, and the total. The compilers' own time is excluded from the difference, because it
  varies by more than that. Our trial compilation is included. `–`: only the total was measured.
"""


def render_page(recipes: Mapping[str, Recipe], outcomes: Mapping[str, Outcome | None]) -> str:
    """Return the page for `outcomes` by name; a package whose outcome is None was not tried."""
    tried = {name: found for name, found in outcomes.items() if found is not None}
    counted = [name for name in tried if verdict(recipes[name], tried[name]).passes]
    parts = [_HEAD, _summary(tried, len(counted)), _LEGEND, _packages(recipes, tried)]
    if any(found.loop for found in tried.values()):
        parts += [_LOOPS, _loops(tried)]
    parts.append(_FIXED)
    return "\n".join(parts).rstrip() + "\n"


def _summary(tried: Mapping[str, Outcome], counted: int) -> str:
    days = sorted({found.when for found in tried.values()})
    pythons = sorted({found.python for found in tried.values()})
    compilers = sorted({found.compiler for found in tried.values()})
    when = " to ".join(dict.fromkeys((days[0], days[-1]))) if days else "never"
    return (
        f"Run on {when} with CPython {', '.join(pythons)} and {', '.join(compilers)}: "
        f"**{counted} of {len(tried)}** pass."
    )


def _packages(recipes: Mapping[str, Recipe], tried: Mapping[str, Outcome]) -> str:
    rows = [
        "| package | version | stands for | delegate | v1 | v3 | native | modules | needs "
        "| pip, uv | check | cost | remarks |",
        "|---" * 13 + "|",
    ]
    for name, outcome in tried.items():
        rows.append(_row(recipes[name], outcome))
    return "\n".join(rows)


def _row(recipe: Recipe, outcome: Outcome) -> str:
    found = [outcome.targets.get(target) for target in TARGETS]
    wheels = [each for each in found if each is not None and not each.error]
    problems = [] if not outcome.failure else [outcome.failure]
    problems += [] if outcome.failure else list(verdict(recipe, outcome).problems)
    needs = f"Needs Debian's {', '.join(recipe.apt)}." if recipe.apt else ""
    remarks = [needs, recipe.done, recipe.explained, *(f"**{each}**" for each in problems)]
    refusals = [
        f"{target}: “{each.error}”"
        for target, each in zip(TARGETS, found, strict=True)
        if each is not None and each.error and target in recipe.refused
    ]
    cells = [
        recipe.name,
        outcome.version,
        recipe.kind,
        f"`{outcome.backend}`",
        *(_built(recipe, target, each) for target, each in zip(TARGETS, found, strict=True)),
        _modules(wheels),
        " / ".join("–" if each is None else _needs(each) for each in found),
        "yes" if wheels and not any(each.pip or each.uv for each in wheels) else "–",
        "yes" if wheels and not any(each.check for each in wheels) else "–",
        _cost(outcome),
        " ".join(filter(None, [*remarks, *refusals])),
    ]
    return "| " + " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in cells) + " |"


def _built(recipe: Recipe, target: str, found: TargetOutcome | None) -> str:
    if found is None:
        return "–"
    if found.error:
        return "refused" if target in recipe.refused else "failed"
    return "yes" if not found.problems else "no"


def _modules(wheels: list[TargetOutcome]) -> str:
    if not wheels:
        return "–"
    shown = sorted({by or "nothing" for each in wheels for by in each.modules.values()})
    return f"{len(wheels[-1].modules)} by {', '.join(shown)}"


def _needs(found: TargetOutcome) -> str:
    return max(found.needs.values(), default="–") if not found.error else "–"


def _cost(outcome: Outcome) -> str:
    first = outcome.targets.get("v1")
    if first is None or first.error or outcome.plain_error:
        return "–"
    if not first.beside:
        return "–"
    extra = first.beside - outcome.plain_beside
    if extra <= 0:
        return f"below the noise of {first.cpu:.1f} s"
    return f"{extra:.2f} of {first.cpu:.1f} s, {100 * extra / first.cpu:.0f} %"


_FIXED = """
## Defects that these packages revealed
Each was fixed in variantbuild and has a test.

- orjson: rustc received no flags, and the wheel was stamped for the C code in it. Now RUSTFLAGS
  for the target, with the ISA note, are passed to cargo wherever there is a Cargo.toml.
- orjson: a file whose units were all compiled for a higher level passed if it also contained a
  dispatch check. It no longer does.
- apexpy: Meson discards CFLAGS if a project's `default_options` set `c_args`. The flags are
  passed through CC, CXX and FC in that case. The wheel had been stamped all the same, because of
  the ISA note that our own linker flags wrote. A note no longer counts as evidence where the
  compilers should have recorded their flags.
- apexpy: our requirement of setuptools 64 conflicted with a pin of a project that setuptools does
  not build. The bound now applies only if setuptools is the delegate.
- hnswlib: the refusal named an instruction, not the cause. It now names the project's own flags.
"""

_LOOPS = """
## How much faster v3 is
Each package runs on the same input from its v1 and its v3 wheel, alternating in one run
(`timing.py`). The table shows the best times and the median of the ratios. Above 1, the v3 wheel
is faster.
"""


def _loops(tried: Mapping[str, Outcome]) -> str:
    rows = ["| package | v1 | v3 | v1 / v3 |", "|---|---|---|---|"]
    timed = [(name, found.loop) for name, found in tried.items() if found.loop]
    for name, loop in sorted(timed, key=lambda item: -item[1]["ratio"]):
        v1, v3 = 1000 * loop["v1"], 1000 * loop["v3"]
        rows.append(f"| {name} | {v1:.2f} ms | {v3:.2f} ms | {loop['ratio']:.2f} |")
    return "\n".join(rows)
