"""docs/realworld.md from the results: one table of what came of each package, one of the loops."""

from __future__ import annotations

from collections.abc import Mapping

from realworld.outcome import Outcome, TargetOutcome
from realworld.recipes import TARGETS, Recipe
from realworld.verdict import verdict

_HEAD = """# Real packages
Source distributions of the package index, built through variantbuild with the backend they came
with as delegate. Written by `python tests/realworld/run.py --all`; the sdists are pinned with their
digests in `tests/realworld/packages.toml`.
"""

_LEGEND = """
A target counts where each compiler call of the build carries its `-march`, the audit finds that
level in every compiled file, pip and uv install the wheel, and the package's own check passes in
both and fails as soon as any one of the compiled files is taken away. `modules`: compiled files,
and by what they show the level (recorded switches, instructions, or the ISA note alone). `needs`:
the highest level of their instructions, which the compiler decides. `native` is the exact
microarchitecture where it can be told, else the level. `cost`: processor seconds that the
build for v1 takes more than the same without variantbuild, of how many in all; the compilers' own
time is left out of the difference, as it varies by more than that, our trial compilation is not;
`–` where only the whole was measured.
"""


def render_page(recipes: Mapping[str, Recipe], outcomes: Mapping[str, Outcome | None]) -> str:
    """Return the page for `outcomes` by name; those that are None were not tried."""
    tried = {name: found for name, found in outcomes.items() if found is not None}
    counted = [name for name in tried if verdict(recipes[name], tried[name]).counts]
    parts = [_HEAD, _summary(tried, len(counted)), _LEGEND, _packages(recipes, tried)]
    if any(found.loop for found in tried.values()):
        parts += [_LOOPS, _loops(tried)]
    parts.append(_MENDED)
    return "\n".join(parts).rstrip() + "\n"


def _summary(tried: Mapping[str, Outcome], counted: int) -> str:
    days = sorted({found.when for found in tried.values()})
    pythons = sorted({found.python for found in tried.values()})
    compilers = sorted({found.compiler for found in tried.values()})
    when = " to ".join(dict.fromkeys((days[0], days[-1]))) if days else "never"
    return (
        f"Run on {when} with CPython {', '.join(pythons)} and {', '.join(compilers)}: "
        f"**{counted} of {len(tried)}** count."
    )


def _packages(recipes: Mapping[str, Recipe], tried: Mapping[str, Outcome]) -> str:
    rows = [
        "| package | version | stands for | delegate | v1 | v3 | native | modules | needs "
        "| pip, uv | check | cost | what had to be done, and why not |",
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


_MENDED = """
## What these packages showed
Mended in variantbuild, each with a test:

- orjson: rustc was told nothing, and the wheel was stamped for the C in it. RUSTFLAGS by target,
  with the guard, are handed to cargo wherever a Cargo.toml lies.
- apexpy: Meson throws CFLAGS away where a project's `default_options` set `c_args`; the flags go
  into CC, CXX and FC there. The wheel was stamped all the same, for the ISA note that our own link
  flags had written: a note is no evidence any more where the compilers should have recorded
  switches.
- apexpy: our own requirement of setuptools 64 contradicted a pin of a project that setuptools does
  not build. The bound holds only where setuptools is the delegate.
- hnswlib: the refusal named an instruction, not the cause. It names the project's own switches now.
- orjson again: a file of which every unit was compiled for more passed where it also asks the
  processor.
"""

_LOOPS = """
## What v3 pays
The same input through the v1 and the v3 wheel, turn by turn in one run (`timing.py`): the best
times, and the median of the ratios. Above 1 the v3 wheel is faster.
"""


def _loops(tried: Mapping[str, Outcome]) -> str:
    rows = ["| package | v1 | v3 | v1 / v3 |", "|---|---|---|---|"]
    timed = [(name, found.loop) for name, found in tried.items() if found.loop]
    for name, loop in sorted(timed, key=lambda item: -item[1]["ratio"]):
        v1, v3 = 1000 * loop["v1"], 1000 * loop["v3"]
        rows.append(f"| {name} | {v1:.2f} ms | {v3:.2f} ms | {loop['ratio']:.2f} |")
    return "\n".join(rows)
