"""Builds killed at any moment: nothing is left, and nothing is broken.

`python tests/faults/killedbuilds.py` kills each phase 200 times by each of SIGINT, SIGTERM, SIGHUP
and SIGKILL, with the compilers of this machine (about an hour for a phase). `--runs N` and names of
phases make it shorter. The tests run a few of the same kills.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from variantbuild.wheel import open_wheel, verify_wheel

REPO = Path(__file__).resolve().parents[2]
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGKILL)
MARK = "A_MARK_OF_THE_TEST"
#: Runs a hook as a front end does, with the handlers that a terminal would leave.
_HOOK = """
import ast, signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)
signal.signal(signal.SIGTERM, signal.SIG_DFL)
signal.signal(signal.SIGHUP, signal.SIG_DFL)
import variantbuild
getattr(variantbuild, sys.argv[1])(sys.argv[2], ast.literal_eval(sys.argv[3]))
"""


@dataclass(frozen=True)
class Phase:
    """A hook and its config-settings."""

    hook: str
    settings: Mapping[str, str]


PHASES = {
    "build": Phase("build_wheel", {"variantbuild.cpu": "v3"}),
    "bundle": Phase("build_wheel", {"variantbuild.bundle": "v1;v3"}),
    "editable": Phase("build_editable", {"variantbuild.cpu": "v3"}),
    "sdist": Phase("build_sdist", {}),
}


@dataclass(frozen=True)
class Workplace:
    """The directories of the builds that are killed."""

    directory: Path

    def __post_init__(self) -> None:
        for each in (self.out, self.temporary, self.home):
            each.mkdir()

    @property
    def out(self) -> Path:
        return self.directory / "out"

    @property
    def temporary(self) -> Path:
        return self.directory / "tmp"

    @property
    def home(self) -> Path:
        return self.directory / "home"

    def refresh(self, project: Path) -> Path:
        """Make a fresh copy of `project`, and empty the other directories; return the copy."""
        tree = self.directory / "tree"
        for each in (tree, self.out, self.temporary, self.home):
            shutil.rmtree(each, ignore_errors=True)
        shutil.copytree(project, tree)
        self.__post_init__()
        return tree


def start(phase: Phase, tree: Path, place: Workplace, mark: str) -> subprocess.Popen[bytes]:
    """Start the hook of `phase` in `tree`."""
    env = {
        **os.environ,
        "PYTHONPATH": str(REPO / "backend"),
        "HOME": str(place.home),
        "XDG_CACHE_HOME": str(place.home / "cache"),
        "TMPDIR": str(place.temporary),
        MARK: mark,
    }
    words = (phase.hook, str(place.out / "new"), repr(dict(phase.settings)))
    return subprocess.Popen(
        [sys.executable, "-c", _HOOK, *words],
        cwd=tree,
        env=env,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )


def kill_once(
    phase: Phase, project: Path, place: Workplace, number: signal.Signals, delay: float
) -> bool:
    """Kill a build after `delay` seconds, and check what is left; return whether it was at work.

    Raises AssertionError.
    """
    tree = place.refresh(project)
    mark = f"killed{os.getpid()}.{time.monotonic_ns()}"
    build = start(phase, tree, place, mark)
    try:
        time.sleep(delay)
        build.send_signal(number)
        _, errors = build.communicate(timeout=60)
        # distutils makes 1 of SIGINT.
        wanted = (0, 1, -number) if number == signal.SIGINT else (0, -number)
        assert build.returncode in wanted, errors.decode()
        wait_until_gone(mark)
    finally:
        for pid in marked(mark):
            os.kill(pid, signal.SIGKILL)
    check(place, tree, project, number, done=build.returncode == 0)
    return build.returncode != 0


def check(
    place: Workplace, tree: Path, project: Path, number: signal.Signals, *, done: bool
) -> None:
    """Check that there are only complete files, and after a catchable signal no others."""
    left = sorted(place.out.rglob("*"))
    for path in left:
        if path.suffix == ".whl" and ".variantbuild-" not in str(path):
            with open_wheel(path) as wheel:
                verify_wheel(wheel)
    if number == signal.SIGKILL:
        return
    # One that was killed after the wheel was published leaves it, complete.
    files = [each.suffix for each in left if each.is_file()]
    assert files in ([], [".whl"], [".gz"]), left
    assert files or not done
    assert not [each for each in left if each.name.startswith(".")], left
    assert not list(place.temporary.iterdir()), list(place.temporary.iterdir())
    ours = [each for each in tree.rglob("*") if each.name.startswith(".variantbuild-")]
    assert not ours, ours


def marked(mark: str) -> Iterator[int]:
    """Yield the processes that have `mark` in their environment."""
    for path in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if mark.encode() in (path / "environ").read_bytes():
                yield int(path.name)


def wait_until_gone(mark: str) -> None:
    """Wait until no process has `mark`."""
    deadline = time.monotonic() + 30
    while left := list(marked(mark)):
        assert time.monotonic() < deadline, left
        time.sleep(0.05)


def measure(phase: Phase, project: Path, place: Workplace) -> float:
    """Return how many seconds a build takes that is not killed."""
    tree = place.refresh(project)
    started = time.monotonic()
    build = start(phase, tree, place, "measured")
    _, errors = build.communicate()
    assert build.returncode == 0, errors.decode()
    return time.monotonic() - started


def kill_often(
    phase: Phase, project: Path, place: Workplace, number: signal.Signals, runs: int
) -> int:
    """Kill `runs` builds at random moments; return how many of them were at work."""
    span = measure(phase, project, place)
    source = random.Random(int(number))
    return sum(
        kill_once(phase, project, place, number, source.random() * span) for _ in range(runs)
    )


def main() -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("phases", nargs="*", default=list(PHASES), metavar="PHASE")
    parser.add_argument("--runs", type=int, default=200, metavar="N")
    args = parser.parse_args()
    project = REPO / "tests" / "packages" / "setuptools-c"
    with tempfile.TemporaryDirectory() as directory:
        place = Workplace(Path(directory))
        for name in args.phases:
            for number in SIGNALS:
                killed = kill_often(PHASES[name], project, place, number, args.runs)
                print(f"{name}, {number.name}: {killed} of {args.runs} at work", flush=True)
                measure(PHASES[name], project, place)


if __name__ == "__main__":
    main()
