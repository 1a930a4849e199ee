"""Build one package: once with its own backend, then through variantbuild for each target."""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from realworld.commands import Done, clean_environment, run
from realworld.compilelines import CompileLine, compiles, make_shims, read_calls, works
from realworld.recipes import Recipe
from realworld.trees import BuildSystem, read_build_system, switch_backend, unpack

#: Gets the build requirements from a backend, as a front end does (PEP 517).
_ASK = """
import json, sys, build
builder = build.ProjectBuilder('.')
settings = json.loads(sys.argv[1])
print('\\n' + json.dumps(sorted(builder.get_requires_for_build('wheel', settings))))
"""


def add_directory(parser: argparse.ArgumentParser) -> None:
    """Add the option that names the directory of sdists, wheels and results."""
    cache = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    parser.add_argument(
        "--directory", metavar="DIR", default=str(Path(cache, "variantbuild-realworld"))
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class Workshop:
    """The directory in which a package is built, and the tools.

    `ours` is a wheel of this checkout; `uv` makes the environments. With `bytecode`, everything
    there is compiled at once, so that no measured build does it.
    """

    directory: Path
    ours: Path
    uv: Path
    bytecode: bool = True

    @property
    def env(self) -> dict[str, str]:
        """The environment variables of every program here."""
        return clean_environment(self.directory / "tmp")


@dataclass(frozen=True, kw_only=True, slots=True)
class Built:
    """A finished build: its wheel, if any, its cost, and the compiler calls.

    `beside` are the CPU seconds outside of the compilers, including variantbuild's trials.
    """

    wheel: Path | None
    done: Done
    beside: float
    lines: tuple[CompileLine, ...]
    system: BuildSystem


def make_venv(shop: Workshop, name: str, *wanted: str | Path, seed: bool = False) -> Path:
    """Make a fresh environment with the distributions `wanted`; return its interpreter."""
    directory = shop.directory / name
    shutil.rmtree(directory, ignore_errors=True)
    words = ("--seed",) if seed else ()
    run(
        shop.uv,
        "venv",
        "-q",
        *words,
        "--python",
        sys.executable,
        directory,
        cwd=shop.directory,
        env=shop.env,
    ).ok("no environment can be made")
    python = directory / "bin" / "python"
    add_to_venv(shop, python, wanted)
    return python


def add_to_venv(shop: Workshop, python: Path, wanted: Sequence[str | Path]) -> None:
    """Install `wanted` into the environment of `python`."""
    if wanted:
        words = ("--compile-bytecode",) if shop.bytecode else ()
        command = (shop.uv, "pip", "install", "-q", *words, "--python", python, *wanted)
        run(*command, cwd=shop.directory, env=shop.env).ok(
            f"not to be installed: {', '.join(map(str, wanted))}"
        )


class Builder:
    """Builds of one sdist, each in a tree of its own; the environment stays the same.

    `extras` are those of variantbuild that its environment has.
    """

    def __init__(self, shop: Workshop, recipe: Recipe, sdist: Path, extras: str = "audit") -> None:
        self.shop = shop
        self.recipe = recipe
        self.sdist = sdist
        self._extras = extras
        self._pythons: dict[bool, Path] = {}

    def build(self, name: str, settings: Mapping[str, str] | None) -> Built:
        """Build the wheel with `settings` of variantbuild; None uses the package's own backend."""
        directory = self.shop.directory / name
        shutil.rmtree(directory, ignore_errors=True)
        tree = unpack(self.sdist, directory / "src")
        system = read_build_system(tree) if settings is None else switch_backend(tree)
        python = self._python(tree, system, settings)
        log = directory / "calls"
        shims = make_shims(directory / "shims", log)
        out = directory / "dist"
        words = [f"-C{key}={value}" for key, value in (settings or {}).items()]
        front_end = (python, "-m", "build", "-w", "-n", "-x")
        done = run(
            *front_end,
            *words,
            *("-o", out, "."),
            cwd=tree,
            env=self._env(python, shims),
        )
        wheels = sorted(out.glob("*.whl"))
        calls = read_calls(log)
        (directory / "build.log").write_text(done.output, encoding="utf-8")
        return Built(
            wheel=wheels[0] if done.code == 0 and wheels else None,
            done=done,
            beside=done.cpu - sum(call.cpu for call in calls if works(call)),
            lines=tuple(call for call in calls if compiles(call)),
            system=system,
        )

    def ours(self, *words: str | Path, cwd: Path) -> Done:
        """Run variantbuild's command with `words` in the environment that builds."""
        program = self._pythons[True].with_name("variantbuild")
        return run(program, *words, cwd=cwd, env=self._env(self._pythons[True]))

    def expected_march(self, tree: Path, settings: Mapping[str, str]) -> str:
        """Return the -march that `variantbuild plan` names for `settings`."""
        words = [f"-C{key}={value}" for key, value in settings.items()]
        done = self.ours("plan", "--json", *words, ".", cwd=tree).ok("`plan` failed")
        plan = cast("dict[str, object]", json.loads(done.output[done.output.index("{") :]))
        flags = [word for word in json.dumps(plan).split('"') if word.startswith("-march=")]
        return flags[0]

    def _python(self, tree: Path, system: BuildSystem, settings: Mapping[str, str] | None) -> Path:
        """Return the interpreter of the environment that builds, made at the first call."""
        wrapped = settings is not None
        if wrapped not in self._pythons:
            ours = [f"variantbuild[{self._extras}] @ {self.shop.ours.as_uri()}"] if wrapped else []
            name = "build-wrapped" if wrapped else "build-plain"
            python = make_venv(self.shop, name, "build", *ours, *system.requires)
            text = json.dumps(dict(settings or {}))
            done = run(python, "-c", _ASK, text, cwd=tree, env=self._env(python))
            asked = done.ok("the backend does not say what it needs").output
            add_to_venv(self.shop, python, json.loads(asked.splitlines()[-1]))
            self._pythons[wrapped] = python
        return self._pythons[wrapped]

    def _env(self, python: Path, *first: Path) -> dict[str, str]:
        env = {**self.shop.env, **self.recipe.env}
        places = [*map(str, first), str(python.parent), env["PATH"]]
        return {**env, "PATH": os.pathsep.join(places)}


def last_words(output: str) -> str:
    """Return our last message in a build's output, or else its last line."""
    lines = [line for line in output.splitlines() if line.strip()]
    marked = [line for line in lines if "variantbuild: error:" in line]
    chosen = (marked or lines or [""])[-1]
    return chosen.partition("variantbuild: error: ")[2] or chosen.strip()
