"""Render docs/realworld.md from the results: a table of packages, and a table of timings."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from realworld.looptimes import Timing
from realworld.outcome import Outcome, TargetOutcome
from realworld.recipes import TARGETS, Recipe
from realworld.verdict import verdict

_HEAD = """# Results for packages from PyPI
`python tests/realworld/run.py --all` builds these packages from their sdists and writes this page.
Each package is built with its own build backend as the delegate. `tests/realworld/packages.toml`
pins the sdists by digest.
"""

_LEGEND = """
A package passes if all of this holds for v1, v3 and native, or if the audit refuses a target for
the reason that the remarks give:

- Each compiler call of the build has the variant's `-march` as its last one, and there are no fewer
  calls than in a build without variantbuild. Programs in front of the real compilers record the
  calls, behind the wrappers that add the flags.
- The audit finds evidence of that level in each compiled file.
- pip and uv install the wheel.
- The package's check passes in both environments, and fails without any one of its compiled files.

The columns:

- `files`: the number of compiled files, and the evidence of their level: recorded flags,
  instructions, or the ISA note alone.
- `needs`: the highest level of their instructions for v1, v3 and native. It depends on what the
  compiler makes of the code.
- `native`: the exact microarchitecture if it is known, else the level.
- `cost`: CPU seconds that variantbuild adds to the build for v1, and the build's total. The
  compilers' own time varies by more than that and is left out of the difference; trial compilation
  is included. Other work on the machine makes both values larger. `–`: not measured.
"""


def render_page(
    recipes: Mapping[str, Recipe],
    outcomes: Mapping[str, Outcome | None],
    timings: Mapping[str, Timing],
) -> str:
    """Return the page for `outcomes` and `timings` by package; an outcome of None was not run."""
    tried = {name: found for name, found in outcomes.items() if found is not None}
    passed = [name for name in tried if verdict(recipes[name], tried[name]).passes]
    missing = [name for name in outcomes if name not in tried]
    parts = [_HEAD, _summary(tried, len(passed), missing), _LEGEND, _packages(recipes, tried)]
    if timings:
        parts += [_LOOPS.format(when=_period(each.when for each in timings.values()))]
        parts += [_loops(timings)]
    parts.append(_FIXED)
    return "\n".join(parts).rstrip() + "\n"


def _summary(tried: Mapping[str, Outcome], passed: int, missing: Sequence[str]) -> str:
    pythons = sorted({found.python for found in tried.values()})
    compilers = sorted({found.compiler for found in tried.values()})
    when = _period(found.when for found in tried.values())
    return (
        f"Run on {when} with CPython {', '.join(pythons)} and {', '.join(compilers)}: "
        f"**{passed} of {len(tried)}** pass."
        + (f" Not run: {', '.join(missing)}." if missing else "")
    )


def _period(days: Iterable[str]) -> str:
    ordered = sorted(days)
    return " to ".join(dict.fromkeys((ordered[0], ordered[-1]))) if ordered else "no day"


def _packages(recipes: Mapping[str, Recipe], tried: Mapping[str, Outcome]) -> str:
    rows = [
        "| package | version | kind | delegate | v1 | v3 | native | files | needs "
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
    needs = f"Requires the Debian package {', '.join(recipe.apt)}." if recipe.apt else ""
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
    shown = sorted({by or "no evidence" for each in wheels for by in each.modules.values()})
    return f"{len(wheels[-1].modules)} ({', '.join(shown)})"


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
        return f"not measurable in {first.cpu:.1f} s"
    return f"{extra:.2f} of {first.cpu:.1f} s, {100 * extra / first.cpu:.0f} %"


_FIXED = """
## Defects that these packages revealed
Each of them is fixed and has a test.

- orjson: rustc received no flags, and the wheel was stamped because of the C code in it. Where
  there is a Cargo.toml, cargo now receives RUSTFLAGS for the target, with the ISA note.
- orjson: a file with a dispatch check passed although all of its units were compiled for a higher
  level.
- apexpy: Meson discards CFLAGS if `default_options` of a project set `c_args`. The wheel was
  stamped because of the ISA note that our own linker flags wrote. The compiler wrappers now add the
  flags, and a note is no evidence if the compilers should have recorded their flags.
- apexpy: the requirement of setuptools 64 conflicted with a project's pin. It now applies only if
  setuptools is the delegate.
- hnswlib: the refusal named an instruction instead of the cause, the project's `-march=native`. It
  now names the flags, and `override-march` replaces them.
- dumb-init: only the names of the interpreter's own compiler were wrapped, not a `cc` that is
  another program, such as a link to ccache. Now `cc`, which setuptools and make call by default, is
  always wrapped.
"""

_LOOPS = """
## How much faster v3 is
Measured on {when} (`run.py --time`). Each package runs the same input from its v1 and its v3
wheel, alternating in one run. The table shows the best times and the median of the ratios. Above 1,
the v3 wheel is faster.
"""


def _loops(timings: Mapping[str, Timing]) -> str:
    rows = ["| package | v1 | v3 | v1 / v3 |", "|---|---|---|---|"]
    for name, each in sorted(timings.items(), key=lambda item: -item[1].ratio):
        v1, v3 = 1000 * each.v1, 1000 * each.v3
        rows.append(f"| {name} | {v1:.2f} ms | {v3:.2f} ms | {each.ratio:.2f} |")
    return "\n".join(rows)
