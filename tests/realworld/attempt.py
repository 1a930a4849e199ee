"""Everything for one package, from the sdist to its outcome."""

from __future__ import annotations

import datetime
import platform
import shutil
import subprocess
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from realworld.building import Builder, Built, Workshop, last_words
from realworld.checking import (
    audit,
    check,
    check_without,
    compiled_members,
    install,
    shows,
    time_loops,
)
from realworld.commands import StepError
from realworld.outcome import Outcome, TargetOutcome
from realworld.recipes import TARGETS, Recipe
from realworld.trees import fetch_sdist

Step = Callable[[str], None]


def attempt(
    recipe: Recipe,
    shop: Workshop,
    sdists: Path,
    step: Step,
    *,
    targets: Sequence[str] = TARGETS,
    newest: bool = False,
    keep: bool = False,
    timed: bool = False,
) -> Outcome:
    """Build, audit, install and check `recipe` for `targets`; `step` is called as each step begins.

    If `targets` are all targets, the package is also built without variantbuild, and with `timed`
    its loop is timed. `shop.directory` is emptied first, and at the end unless `keep`. A package
    that fails does not raise: the outcome contains the error.
    """
    shutil.rmtree(shop.directory, ignore_errors=True)
    shop.directory.mkdir(parents=True)
    outcome = Outcome(
        name=recipe.name,
        version=recipe.version,
        when=datetime.datetime.now(datetime.timezone.utc).date().isoformat(),
        python=platform.python_version(),
        compiler=_compiler(),
    )
    try:
        step("fetching")
        sdist = fetch_sdist(recipe, sdists, shop.env, newest=newest)
        outcome = replace(outcome, version=_version(sdist))
        builder = Builder(shop, recipe, sdist)
        whole = tuple(targets) == TARGETS
        if whole:
            step("as it is")
            outcome = _compare(outcome, builder.build("plain", None))
        for target in targets:
            found = _build(recipe, shop, builder, target, step)
            found = replace(found, plain_lines=outcome.plain_lines)
            outcome = replace(outcome, targets={**outcome.targets, target: found})
        if whole and timed and recipe.loop:
            outcome = _time(recipe, shop, outcome, step)
    except StepError as failure:
        (shop.directory / "failure.log").write_text(failure.output, encoding="utf-8")
        outcome = replace(outcome, failure=f"{failure}: {last_words(failure.output)}")
    if not keep:
        _sweep(shop.directory)
    return outcome


def _compare(outcome: Outcome, plain: Built) -> Outcome:
    return replace(
        outcome,
        backend=plain.system.backend,
        plain_seconds=plain.done.seconds,
        plain_cpu=plain.done.cpu,
        plain_beside=plain.beside,
        plain_lines=len(plain.lines),
        plain_error="" if plain.wheel else last_words(plain.done.output),
    )


def _build(
    recipe: Recipe, shop: Workshop, builder: Builder, target: str, step: Step
) -> TargetOutcome:
    step(f"{target}: building")
    settings = {"variantbuild.cpu": target}
    built = builder.build(target, settings)
    return _look(recipe, shop, builder, target, settings, built, step)


def _time(recipe: Recipe, shop: Workshop, outcome: Outcome, step: Step) -> Outcome:
    if any(outcome.targets[each].check for each in ("v1", "v3")):
        return outcome
    step("timing")
    first, second = (shop.directory / f"pip-{each}" / "bin" / "python" for each in ("v1", "v3"))
    return replace(outcome, loop=time_loops(shop, recipe, first, second))


def _look(
    recipe: Recipe,
    shop: Workshop,
    builder: Builder,
    target: str,
    settings: Mapping[str, str],
    built: Built,
    step: Step,
) -> TargetOutcome:
    tree = next(path for path in (shop.directory / target / "src").iterdir() if path.is_dir())
    march = builder.expected_march(tree, settings)
    found = TargetOutcome(
        march=march,
        seconds=built.done.seconds,
        cpu=built.done.cpu,
        beside=built.beside,
        lines=len(built.lines),
        strays=tuple(" ".join(each.words) for each in built.lines if each.march != march),
    )
    if built.wheel is None:
        return replace(found, error=last_words(built.done.output) or "no wheel")
    step(f"{target}: auditing")
    audited = audit(builder, built.wheel, target)
    found = replace(
        found,
        wheel=built.wheel.name,
        audited=audited.ok,
        modules={str(file["path"]): shows(file, march) or "" for file in audited.files},
        needs={str(file["path"]): str(file["level"]) for file in audited.files},
        notes={str(file["path"]): str(file["isa_note"]) for file in audited.files},
        findings=(*audited.errors, *audited.warnings),
    )
    step(f"{target}: installing and checking")
    by_pip = install(shop, recipe, built.wheel, "pip", f"pip-{target}")
    by_uv = install(shop, recipe, built.wheel, "uv", f"uv-{target}")
    found = replace(found, pip=by_pip.output, uv=by_uv.output)
    if by_pip.output or by_uv.output:
        return found
    failed = [
        done.output
        for done in (check(shop, recipe, each.python) for each in (by_pip, by_uv))
        if done.code
    ]
    if failed:
        return replace(found, check=failed[0] or "no words")
    members = compiled_members(built.wheel)
    away = check_without(shop, recipe, by_pip.python, built.wheel, members)
    return replace(found, check="", noticed=tuple(name for name, missed in away.items() if missed))


def _version(sdist: Path) -> str:
    stem = sdist.name.removesuffix(".zip").removesuffix(".tar.gz")
    return stem.rpartition("-")[2]


def _compiler() -> str:
    done = subprocess.run(["cc", "--version"], capture_output=True, text=True, check=False)
    return (done.stdout.splitlines() or ["no cc"])[0]


def _sweep(directory: Path) -> None:
    """Keep the logs and the wheels, remove large files."""
    for path in directory.iterdir():
        if path.name.startswith(("build-", "pip-", "uv-", "tmp")) and path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
    for name in ("src", "calls", "shims"):
        for path in directory.glob(f"*/{name}"):
            shutil.rmtree(path, ignore_errors=True)
