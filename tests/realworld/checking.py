"""Check a wheel: audit it, install it with pip and uv, and run the package's check.

Each compiled file is removed in turn, and the check must fail without it.
"""

from __future__ import annotations

import json
import statistics
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from realworld.building import Builder, Workshop, make_venv
from realworld.commands import Done, run
from realworld.recipes import HERE, Recipe

#: Pairs of runs, one of each wheel, taken turn by turn.
ROUNDS = 5


@dataclass(frozen=True, kw_only=True, slots=True)
class Audited:
    """The audit of a wheel: each compiled file, and every finding as text."""

    ok: bool
    files: tuple[Mapping[str, object], ...]
    evidence: tuple[str, ...]
    errors: tuple[str, ...]
    warnings: tuple[str, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Installed:
    """A wheel in a fresh environment; `output` is what went wrong, empty where nothing did."""

    python: Path
    output: str


def audit(builder: Builder, wheel: Path, expect: str) -> Audited:
    """Audit `wheel` for the variant that it declares, or for v1 if it declares none."""
    words = ("--expect", "v1") if expect == "v1" else ()
    done = builder.ours("audit", "--json", *words, wheel, cwd=wheel.parent)
    text = done.output[done.output.index("{") :]
    document, _ = json.JSONDecoder().raw_decode(text)
    found = cast("dict[str, object]", document["wheels"][0])
    findings = cast("list[dict[str, str]]", found["findings"])
    return Audited(
        ok=bool(found["ok"]),
        files=tuple(cast("list[dict[str, object]]", found["files"])),
        evidence=tuple(cast("list[str]", found["evidence"])),
        errors=tuple(each["message"] for each in findings if each["severity"] == "error"),
        warnings=tuple(each["message"] for each in findings if each["severity"] == "warning"),
    )


def shows(file: Mapping[str, object], march: str) -> str | None:
    """Return the evidence in the compiled `file` for `march`, None if there is none.

    If flags are recorded, those of each translation unit must name it; additional flags of the
    project are for the audit to judge. Otherwise decoded instructions of that level are evidence,
    then the ISA note.
    """
    asked = cast("list[str]", file["switches"])
    level = march.removeprefix("-march=x86-64").removeprefix("-") or "v1"
    if asked:
        named = [next((w for w in line.split() if w.startswith("-march=")), None) for line in asked]
        return "recorded flags" if set(named) == {None if level == "v1" else march} else None
    if level == "v1" or file["level"] == level:
        return "instructions"
    return "ISA note" if file["isa_note"] == level else None


def install(shop: Workshop, recipe: Recipe, wheel: Path, tool: str, name: str) -> Installed:
    """Install `wheel` with `tool` (pip or uv) into the fresh environment `name`."""
    python = make_venv(shop, name, *recipe.install, seed=tool == "pip")
    if tool == "pip":
        command: tuple[str | Path, ...] = (python, "-m", "pip", "install", "-q", wheel)
    else:
        command = (shop.uv, "pip", "install", "-q", "--python", python, wheel)
    done = run(*command, cwd=shop.directory, env=shop.env)
    return Installed(python=python, output=done.output if done.code else "")


def check(
    shop: Workshop, recipe: Recipe, python: Path, env: Mapping[str, str] | None = None
) -> Done:
    """Run the package's script in the environment of `python`, away from any source."""
    command, directory = (python, "-I", recipe.script), shop.directory / "tmp"
    return run(*command, cwd=directory, env={**shop.env, **(env or {})}, limit=600)


def check_without(
    shop: Workshop, recipe: Recipe, python: Path, wheel: Path, files: tuple[str, ...]
) -> dict[str, bool]:
    """Remove each of `files` (members of the wheel) in turn; return whether the check fails."""
    noticed = {}
    for member in files:
        place = _installed(python, wheel, member)
        aside = place.with_name(f"{place.name}.away")
        place.rename(aside)
        try:
            noticed[member] = check(shop, recipe, python).code != 0
        finally:
            aside.rename(place)
    return noticed


def time_loops(shop: Workshop, recipe: Recipe, first: Path, second: Path) -> dict[str, float]:
    """Time the script's loop in two environments, turn by turn; return seconds and their ratio."""
    pairs = []
    for _ in range(ROUNDS):
        pairs.append([seconds_of_loop(shop, recipe, python) for python in (first, second)])
    return {
        "v1": min(pair[0] for pair in pairs),
        "v3": min(pair[1] for pair in pairs),
        "ratio": statistics.median(pair[0] / pair[1] for pair in pairs),
    }


def seconds_of_loop(
    shop: Workshop,
    recipe: Recipe,
    python: Path,
    env: Mapping[str, str] | None = None,
    clock: str = "wall",
) -> float:
    """Return the best seconds of the script's loop in the environment of `python`."""
    command = (python, "-I", HERE / "timing.py", recipe.script, clock)
    variables = {**shop.env, **(env or {})}
    done = run(*command, cwd=shop.directory / "tmp", env=variables).ok("the loop failed")
    return float(done.output.splitlines()[-1])


def _installed(python: Path, wheel: Path, member: str) -> Path:
    """Return where a member of `wheel` lies in the environment of `python`."""
    directory, _, rest = member.partition("/")
    if not directory.endswith(".data"):
        return _site_packages(python) / member
    scheme, _, name = rest.partition("/")
    if scheme == "scripts":
        return python.parent / name
    if scheme in ("purelib", "platlib"):
        return _site_packages(python) / name
    return python.parent.parent / name


def _site_packages(python: Path) -> Path:
    return next(python.parent.parent.glob("lib/python*/site-packages"))


def compiled_members(wheel: Path) -> tuple[str, ...]:
    """Return the names of the ELF files in `wheel`."""
    with zipfile.ZipFile(wheel) as archive:
        names = [each for each in archive.namelist() if not each.endswith("/")]
        found = []
        for name in names:
            with archive.open(name) as stream:
                if stream.read(4) == b"\x7fELF":
                    found.append(name)
    return tuple(found)
