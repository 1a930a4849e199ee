"""Build other people's packages through variantbuild: `python tests/realworld/run.py [NAME…]`.

    --all         every package of packages.toml (names, or this)
    -j N          so many packages at once (default 1)
    --resume      leave out the packages that have a result already
    --newest      the newest sdists of the index instead of the pinned ones
    --folder DIR  where everything is kept: sdists, logs, wheels, results
    --keep        keep build trees and environments too
    --list        print the packages, and what came of each

Each sdist is fetched by pip, unpacked, and gets variantbuild as its backend in front of its own;
then it is built as it was and for v1, v3 and native, audited, installed by pip and by uv, checked
by its script in projects/, and checked again without each of its compiled files. The results are
written to docs/realworld.md. Needs the extra `test`. The exit code is 1 if a result differs from
packages.toml.
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
from realworld.building import Workshop
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
        print(f"no such package in packages.toml: {', '.join(unknown)}", file=sys.stderr)
        return 2
    folder = Path(args.folder).resolve()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        print(f"--folder {args.folder}: {error.strerror}; name one to write to", file=sys.stderr)
        return 2
    results = folder / "results"
    if args.list:
        for recipe in recipes.values():
            outcome = read_outcome(recipe.name, results)
            print(f"{recipe.name:24} {recipe.version:12} {_summary(recipe, outcome)}")
        return 0
    chosen = [recipes[name] for name in args.names] or (list(recipes.values()) if args.all else [])
    if not chosen:
        print("name packages, or say --all", file=sys.stderr)
        return 2
    if args.resume:
        chosen = [each for each in chosen if read_outcome(each.name, results) is None]
    outcomes = _work(chosen, folder, args)
    if not args.newest:
        write_page(recipes, results)
    return 0 if all(verdict(recipes[each.name], each).expected for each in outcomes) else 1


def write_page(recipes: dict[str, Recipe], results: Path) -> None:
    """Write docs/realworld.md from every result that is kept."""
    known = {name: read_outcome(name, results) for name in recipes}
    PAGE.write_text(render_page(recipes, known), encoding="utf-8")


def _work(chosen: list[Recipe], folder: Path, args: argparse.Namespace) -> list[Outcome]:
    if not chosen:
        return []
    ours = build_ours(folder / "ours" / str(os.getpid()))
    progress = _Progress(len(chosen))
    outcomes = []
    with ThreadPoolExecutor(max_workers=args.jobs) as pool:
        waiting = {
            pool.submit(
                attempt,
                recipe,
                Workshop(folder=folder / "work" / recipe.name, ours=ours, uv=find_uv()),
                folder / "sdists",
                progress.teller(recipe.name),
                newest=args.newest,
                keep=args.keep,
            ): recipe
            for recipe in chosen
        }
        for future in as_completed(waiting):
            outcome = future.result()
            write_outcome(outcome, folder / "results")
            progress.finished(outcome.name, _summary(waiting[future], outcome))
            outcomes.append(outcome)
    return outcomes


def build_ours(folder: Path) -> Path:
    """Build a wheel of this checkout into the emptied `folder`; return its path."""
    shutil.rmtree(folder, ignore_errors=True)
    with tempfile.TemporaryDirectory() as place:
        source = Path(place)
        ignore = shutil.ignore_patterns("build", "*.egg-info", "__pycache__")
        for part in ("backend", "cmake"):
            shutil.copytree(REPO / part, source / part, ignore=ignore)
        for part in ("pyproject.toml", "README.md", "LICENSE"):
            shutil.copy(REPO / part, source / part)
        pip = (sys.executable, "-m", "pip", "--disable-pip-version-check", "-q")
        env = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
        command = (*pip, "wheel", "--no-deps", "-w", str(folder), place)
        subprocess.run(command, check=True, env=env)
    return next(folder.glob("*.whl"))


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
        return "not tried"
    found = verdict(recipe, outcome)
    if found.counts:
        return "counts"
    return f"does not count: {'; '.join(found.problems) or recipe.explained}"


def _jobs(text: str) -> int:
    jobs = int(text) if text.isdecimal() else 0
    if not jobs:
        raise argparse.ArgumentTypeError(f"{text!r} is no number of packages from 1 on")
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
    parser.add_argument("--list", action="store_true")
    cache = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    parser.add_argument("--folder", default=str(Path(cache, "variantbuild-realworld")))
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
