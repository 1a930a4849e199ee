"""Build packages from PyPI through variantbuild: `python tests/realworld/run.py [NAME…]`.

    --all            all packages of packages.toml, instead of NAME…
    -j N             build N packages in parallel (default: 1)
    --resume         skip packages that have a result
    --newest         build the newest sdists of the index instead of the pinned ones
    --directory DIR  keep sdists, logs, wheels and results in DIR
    --keep           keep build trees and environments as well
    --time           time the loops for v1 and v3 as well (on an idle machine)
    --list           print the packages and their results

Each sdist is downloaded by pip. It is built with its own backend, then with variantbuild in front
of that backend for v1, v3 and native. Each wheel is audited, installed by pip and by uv, and
checked by the package's script in projects/, once more without each of its compiled files. The
results are written to docs/realworld.md. The extra `test` is required. The exit code is 1 if a
result differs from packages.toml.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from realworld.attempt import attempt
from realworld.building import Workshop, add_directory
from realworld.looptimes import read_timings, store_timings
from realworld.outcome import Outcome, read_outcome, write_outcome
from realworld.page import render_page
from realworld.recipes import Recipe, load_recipes
from realworld.verdict import verdict

REPO = Path(__file__).resolve().parent.parent.parent
PAGE = REPO / "docs" / "realworld.md"


def main(arguments: list[str] | None = None) -> int:
    args = _parse(arguments)
    recipes = load_recipes()
    unknown = [name for name in args.names if name not in recipes]
    if unknown:
        print(f"packages.toml has no package {', '.join(unknown)}", file=sys.stderr)
        return 2
    directory = Path(args.directory).resolve()
    try:
        directory.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=directory):
            pass
    except OSError as error:
        print(
            f"--directory {args.directory}: {error.strerror}; choose a writable directory",
            file=sys.stderr,
        )
        return 2
    results = directory / "results"
    if args.list:
        for recipe in recipes.values():
            outcome = read_outcome(recipe.name, results)
            print(f"{recipe.name:24} {recipe.version:12} {_summary(recipe, outcome)}")
        return 0
    chosen = [recipes[name] for name in args.names] or (list(recipes.values()) if args.all else [])
    if not chosen:
        print("no packages: give their names, or --all", file=sys.stderr)
        return 2
    if args.resume:
        chosen = [each for each in chosen if read_outcome(each.name, results) is None]
    outcomes = _work(chosen, directory, args)
    if args.time:
        store_timings({each.name: each for each in outcomes})
    if not args.newest:
        write_page(recipes, results)
    return 0 if all(verdict(recipes[each.name], each).passes for each in outcomes) else 1


def write_page(recipes: dict[str, Recipe], results: Path) -> None:
    """Write docs/realworld.md from all stored results."""
    known = {name: read_outcome(name, results) for name in recipes}
    PAGE.write_text(render_page(recipes, known, read_timings()), encoding="utf-8")


def _work(chosen: list[Recipe], directory: Path, args: argparse.Namespace) -> list[Outcome]:
    if not chosen:
        return []
    ours = build_ours(directory / "ours" / str(os.getpid()))
    progress = _Progress(len(chosen))
    outcomes = []
    with ThreadPoolExecutor(max_workers=args.jobs) as pool:
        waiting = {
            pool.submit(
                attempt,
                recipe,
                Workshop(directory=directory / "work" / recipe.name, ours=ours, uv=find_uv()),
                directory / "sdists",
                progress.teller(recipe.name),
                newest=args.newest,
                keep=args.keep,
                timed=args.time,
            ): recipe
            for recipe in chosen
        }
        for future in as_completed(waiting):
            outcome = future.result()
            write_outcome(outcome, directory / "results")
            progress.finished(outcome.name, _summary(waiting[future], outcome))
            outcomes.append(outcome)
    return outcomes


def build_ours(directory: Path) -> Path:
    """Build a wheel of this checkout into the emptied `directory`; return its path."""
    shutil.rmtree(directory, ignore_errors=True)
    with tempfile.TemporaryDirectory() as place:
        source = Path(place)
        ignore = shutil.ignore_patterns("build", "*.egg-info", "__pycache__")
        for part in ("backend", "cmake"):
            shutil.copytree(REPO / part, source / part, ignore=ignore)
        for part in ("pyproject.toml", "README.md", "LICENSE"):
            shutil.copy(REPO / part, source / part)
        pip = (sys.executable, "-m", "pip", "--disable-pip-version-check", "-q")
        env = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
        command = (*pip, "wheel", "--no-deps", "-w", str(directory), place)
        subprocess.run(command, check=True, env=env)
    return next(directory.glob("*.whl"))


def find_uv() -> Path:
    """Return the uv next to this interpreter, or else the one on PATH."""
    found = shutil.which(
        "uv", path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    )
    if found is None:
        raise SystemExit("uv is not installed: pip install '.[test]'")
    return Path(found)


class _Progress:
    """One line per step, with the number of packages that are done."""

    def __init__(self, total: int) -> None:
        self._total, self._done = total, 0
        self._started = time.monotonic()
        self._lock = threading.Lock()

    def teller(self, name: str) -> _Teller:
        return _Teller(self, name)

    def say(self, name: str, words: str) -> None:
        with self._lock:
            clock = time.monotonic() - self._started
            line = f"[{self._done}/{self._total} {clock:5.0f} s] {name}: {words}"
            print(line, file=sys.stderr, flush=True)

    def finished(self, name: str, words: str) -> None:
        self._done += 1
        self.say(name, words)


class _Teller:
    def __init__(self, progress: _Progress, name: str) -> None:
        self._progress, self._name = progress, name

    def __call__(self, words: str) -> None:
        self._progress.say(self._name, words)


def _summary(recipe: Recipe, outcome: Outcome | None) -> str:
    if outcome is None:
        return "not run"
    found = verdict(recipe, outcome)
    if found.passes:
        return "passes"
    return f"does not pass: {'; '.join(found.problems)}"


def _jobs(text: str) -> int:
    jobs = int(text) if text.isdecimal() else 0
    if not jobs:
        raise argparse.ArgumentTypeError(f"{text!r} is not a positive number of packages")
    return jobs


def _parse(arguments: list[str] | None) -> argparse.Namespace:
    about, _, options = (__doc__ or "").partition("\n\n")
    parser = argparse.ArgumentParser(
        description=about, epilog=options, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("names", nargs="*", metavar="NAME")
    parser.add_argument("--all", action="store_true")
    parser.add_argument("-j", "--jobs", type=_jobs, default=1)
    parser.add_argument("--resume", action="store_true")
    parser.add_argument("--newest", action="store_true")
    parser.add_argument("--keep", action="store_true")
    parser.add_argument("--time", action="store_true")
    parser.add_argument("--list", action="store_true")
    add_directory(parser)
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
