"""One package as a bundle: built in one call, repaired, installed, checked at each level, timed."""

from __future__ import annotations

import ast
import datetime
import json
import shlex
import shutil
import statistics
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import cast

from realworld.building import Builder, Workshop, last_words
from realworld.checking import ROUNDS, check, install, seconds_of_loop
from realworld.commands import StepError, run
from realworld.recipes import HERE, Recipe
from realworld.trees import fetch_sdist

LEVELS = ("v1", "v3", "v4")
STORE = HERE / "bundles.json"
#: Takes a level away from glibc's loader: x86-64-v4 needs AVX-512, x86-64-v3 AVX2.
_TUNABLES = {
    "v1": "-SSE4_2,-SSSE3,-AVX2_Usable,-AVX2,-AVX512F_Usable,-AVX512F",
    "v3": "-AVX512F_Usable,-AVX512F",
}
_IMPORT = "import time; began = time.process_time()\n{}\nprint(time.process_time() - began)"

Step = Callable[[str], None]


@dataclass(frozen=True, kw_only=True, slots=True)
class BundleOutcome:
    """A package as a bundle.

    `problem` is empty if everything passed: the bundle has the manylinux tag, the audit says that
    it runs on v1, pip and uv install it, and the check passes at each level of `levels` with the
    copies of that level loaded. `copies` are levels with a copy of at least one module. Sizes are
    bytes of the repaired wheels, times are CPU milliseconds: the loop's best, and the package's
    import. `ratio` is the median of plain / bundle.
    """

    when: str
    version: str
    kind: str = ""
    problem: str = ""
    method: str = ""
    modules: int = 0
    copies: tuple[str, ...] = ()
    levels: tuple[str, ...] = ()
    tag: str = ""
    size: int = 0
    plain_size: int = 0
    loop: float = 0.0
    plain_loop: float = 0.0
    ratio: float = 0.0
    imported: float = 0.0
    plain_imported: float = 0.0


def read_bundles(file: Path = STORE) -> dict[str, BundleOutcome]:
    """Return the stored outcomes by package."""
    try:
        rows = cast("dict[str, dict[str, object]]", json.loads(file.read_text("utf-8")))
    except FileNotFoundError:
        return {}
    return {name: _outcome(row) for name, row in rows.items()}


def _outcome(row: Mapping[str, object]) -> BundleOutcome:
    lists = {key: tuple(value) for key, value in row.items() if isinstance(value, list)}
    return BundleOutcome(**cast("dict[str, str]", {**row, **lists}))  # type: ignore[arg-type]


def store_bundle(name: str, outcome: BundleOutcome, file: Path = STORE) -> None:
    """Store the outcome of a package in place of the one before."""
    rows = {**read_bundles(file), name: outcome}
    text = json.dumps({key: asdict(rows[key]) for key in sorted(rows)}, indent=1)
    file.write_text(f"{text}\n", encoding="utf-8")


def attempt_bundle(recipe: Recipe, shop: Workshop, sdists: Path, step: Step) -> BundleOutcome:
    """Build, repair, install, check and time `recipe`; a package that fails does not raise."""
    shutil.rmtree(shop.directory, ignore_errors=True)
    shop.directory.mkdir(parents=True)
    outcome = BundleOutcome(
        when=datetime.datetime.now(datetime.timezone.utc).date().isoformat(),
        version=recipe.version,
        kind=recipe.kind,
    )
    try:
        step("fetching")
        sdist = fetch_sdist(recipe, sdists, shop.env, newest=False)
        trial = _Trial(shop, recipe, Builder(shop, recipe, sdist, "audit,repair"), step)
        return trial.run(outcome)
    except StepError as failure:
        (shop.directory / "failure.log").write_text(failure.output, encoding="utf-8")
        words = last_words(failure.output)
        return _with(outcome, problem=f"{failure}: {words}" if words else str(failure))


class _Trial:
    def __init__(self, shop: Workshop, recipe: Recipe, builder: Builder, step: Step) -> None:
        self.shop, self.recipe, self.builder, self.step = shop, recipe, builder, step

    def run(self, outcome: BundleOutcome) -> BundleOutcome:
        wheel = self._built("bundle", {"variantbuild.bundle": ";".join(LEVELS)})
        plain = self._built("plain", None)
        outcome = _with(outcome, tag=_tag(wheel), size=_size(wheel), plain_size=_size(plain))
        if "-manylinux" not in wheel.name:
            raise StepError(f"{wheel.name} has no manylinux tag", "")
        self.step("auditing")
        self._ours("does not run on v1", "audit", "--expect", "v1", wheel)
        rows = self._choosers(wheel)
        if not rows:
            raise StepError("every module is the same at every level", "")
        copied = {level for row in rows for level in row.levels}
        copies = tuple(level for level in LEVELS if level in copied)
        outcome = _with(outcome, modules=len(rows), method=rows[0].method, copies=copies)
        python = self._installed("pip", wheel)
        other = self._installed("uv", wheel)
        for level in LEVELS:
            self.step(f"checking {level}")
            for each in (python, other):
                done = check(self.shop, self.recipe, each, self._limited(level, outcome.method))
                done.ok(f"the check failed at {level}")
        outcome = _with(outcome, levels=self._loaded(python, wheel))
        self.step("timing")
        return self._timed(outcome, self._installed("plain", plain), python)

    def _built(self, name: str, settings: Mapping[str, str] | None) -> Path:
        """Return the repaired wheel of a build."""
        self.step(f"{name}: building")
        built = self.builder.build(name, settings)
        if built.wheel is None:
            raise StepError(f"the {name} build failed", built.done.output)
        out = self.shop.directory / f"repaired-{name}"
        self._ours(f"the {name} wheel cannot be repaired", "repair", "-w", out, built.wheel)
        return next(out.glob("*.whl"))

    def _ours(self, sentence: str, *words: str | Path) -> str:
        return self.builder.ours(*words, cwd=self.shop.directory).ok(sentence).output

    def _choosers(self, wheel: Path) -> list[_Row]:
        output = self._ours("the bundle does not pass the audit", "audit", "--json", wheel)
        document, _ = json.JSONDecoder().raw_decode(output[output.index("{") :])
        found = cast("dict[str, list[dict[str, object]]]", document["wheels"][0])
        return [_row(each) for each in found["choosers"]]

    def _installed(self, tool: str, wheel: Path) -> Path:
        self.step(f"installing with {tool}")
        made = install(self.shop, self.recipe, wheel, "uv" if tool == "plain" else tool, tool)
        if made.output:
            raise StepError(f"{tool} does not install {wheel.name}", made.output)
        return made.python

    def _limited(self, level: str, method: str) -> dict[str, str]:
        """Return the variables that limit a bundle to `level`."""
        if method == "stub":
            return {"VARIANTBUILD_LEVEL": level}
        words = _TUNABLES.get(level)
        return {} if words is None else {"GLIBC_TUNABLES": f"glibc.cpu.hwcaps={words}"}

    def _loaded(self, python: Path, wheel: Path) -> tuple[str, ...]:
        """Return the levels whose copies were loaded, as `bundle --check` finds them."""
        self.step("looking at what is loaded")
        # The script's own directory is not to be searched: it is called like the package.
        code = f"import runpy; runpy.run_path({str(self.recipe.script)!r})"
        command = shlex.join((str(python), "-c", code))
        words = ("bundle", "--json", "--check", command, wheel)
        output = self._ours("a level does not load its copies", *words)
        document, _ = json.JSONDecoder().raw_decode(output[output.index("{") :])
        return tuple(each["level"] for each in document["checked"] if not each["skipped"])

    def _timed(self, outcome: BundleOutcome, plain: Path, bundle: Path) -> BundleOutcome:
        env = self._limited("v3", outcome.method)
        pairs = [
            (self._imported(plain, {}), self._imported(bundle, env)) for _ in range(3 * ROUNDS)
        ]
        before, after = (min(each) for each in zip(*pairs, strict=True))
        outcome = _with(outcome, plain_imported=1000 * before, imported=1000 * after)
        if not self.recipe.loop:
            return outcome
        loops = []
        for _ in range(ROUNDS):
            before = seconds_of_loop(self.shop, self.recipe, plain, clock="cpu")
            after = seconds_of_loop(self.shop, self.recipe, bundle, env, "cpu")
            loops.append((before, after))
        first, second = (min(each) for each in zip(*loops, strict=True))
        ratio = statistics.median(one / other for one, other in loops)
        return _with(outcome, plain_loop=1000 * first, loop=1000 * second, ratio=ratio)

    def _imported(self, python: Path, env: Mapping[str, str]) -> float:
        """Return the CPU seconds of the imports at the head of the package's script."""
        words = (python, "-I", "-c", _IMPORT.format(_imports(self.recipe.script)))
        directory = self.shop.directory / "tmp"
        done = run(*words, cwd=directory, env={**self.shop.env, **env})
        return float(done.ok("the import failed").output.splitlines()[-1])


def _imports(script: Path) -> str:
    tree = ast.parse(script.read_text("utf-8"))
    kinds = (ast.Import, ast.ImportFrom)
    return "\n".join(ast.unparse(each) for each in tree.body if isinstance(each, kinds))


@dataclass(frozen=True, kw_only=True, slots=True)
class _Row:
    method: str
    levels: tuple[str, ...]


def _row(chooser: Mapping[str, object]) -> _Row:
    copies = cast("list[dict[str, str]]", chooser["copies"])
    levels = tuple(each["level"] for each in copies)
    return _Row(method=str(chooser["method"]), levels=levels)


def _tag(wheel: Path) -> str:
    return wheel.stem.split("-", 2)[2]


def _size(wheel: Path) -> int:
    return wheel.stat().st_size


def _with(outcome: BundleOutcome, **changes: object) -> BundleOutcome:
    return replace(outcome, **changes)  # type: ignore[arg-type]
