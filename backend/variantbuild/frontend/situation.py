"""Which front end is building the wheel, detected from the traces that front ends leave."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal

from variantbuild.host import Host
from variantbuild.host.parent import parent_command_line
from variantbuild.values import dataclass

SituationKind = Literal[
    "pip-tree", "pip-archive", "pip-sdist", "uv", "poetry", "pdm", "build", "unknown"
]

#: The variables that name the directory of pip's tracker: from pip 22.1 on, and before.
_TRACKERS = ("PIP_BUILD_TRACKER", "PIP_REQ_TRACKER")

_Program = Literal["build", "tox", "uv", "poetry", "poetry-build", "pdm", "pdm-build"]
#: The situation of each; that of `build` is a wheel that is installed later, as a file.
_KINDS: dict[_Program, SituationKind] = {
    "build": "build",
    "tox": "build",
    "uv": "uv",
    "poetry": "poetry",
    "poetry-build": "build",
    "pdm": "pdm",
    "pdm-build": "build",
}
#: The options before a subcommand that take a value.
_WITH_VALUE = {
    "poetry": ("-C", "--directory", "-P", "--project"),
    "pdm": ("-c", "--config"),
}

#: Set by `variantbuild build` for the hooks that it calls.
FRONTEND_VARIABLE = "_VARIANTBUILD_FRONTEND"

#: The commands of pip that build wheels.
_PIP_COMMANDS = ("install", "wheel", "download", "lock")


@dataclass(frozen=True, kw_only=True, slots=True)
class Situation:
    """The front end, the trace it was detected by, and whether it runs under cibuildwheel.

    `keeps_file` is true for `pip wheel`, whose wheel is a file to be installed later.
    """

    kind: SituationKind
    evidence: str
    cibuildwheel: bool = False
    keeps_file: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Traces:
    """What a hook can see of its front end.

    `tracked` are the requirements that pip is building, newest first, or None without pip's
    tracker; `parent` is the command line of the parent process, empty if it cannot be read.
    """

    env: Mapping[str, str]
    source: Path
    is_sdist: bool
    tracked: tuple[str, ...] | None
    parent: tuple[str, ...]


def read_traces(host: Host, source: Path, *, is_sdist: bool) -> Traces:
    """Collect the traces that this process can see on `host`."""
    tracker = next((host.env[name] for name in _TRACKERS if host.env.get(name)), None)
    return Traces(
        env=host.env,
        source=source,
        is_sdist=is_sdist,
        tracked=_read_tracker(Path(tracker)) if tracker else None,
        parent=parent_command_line(host),
    )


def detect_situation(traces: Traces) -> Situation:
    """Detect the front end from its traces.

    pip keeps a file for each requirement that it prepares (`PIP_BUILD_TRACKER`, `PIP_REQ_TRACKER`
    before 22.1, during the prepare hook only); uv sets `UV_INTERNAL__BUILD_DIR` to the directory it
    builds in; build, poetry, pdm and tox are the parent process. `UV` alone proves nothing, as
    `uv run` sets it for every program. Seen with pip 20.3 to 26.3, uv 0.2 to 0.13, build 1.6.1,
    poetry 2.5.1, pdm 2.29.4.
    """
    env = traces.env
    on_ci = env.get("CIBUILDWHEEL") == "1"
    # The parent first: a build tool that a build starts itself inherits the other traces.
    program = _program(traces.parent)
    if program is not None:
        evidence = f"the parent process is {program.replace('-', ' ')}"
        return Situation(kind=_KINDS[program], evidence=evidence, cibuildwheel=on_ci)
    if traces.tracked:
        kind = _pip_kind(traces.tracked[0], is_sdist=traces.is_sdist)
        evidence = f"pip is preparing {traces.tracked[0]!r}"
        keeps = _pip_command(traces.parent) == "wheel"
        return Situation(kind=kind, evidence=evidence, cibuildwheel=on_ci, keeps_file=keeps)
    if env.get(FRONTEND_VARIABLE) == "variantbuild":
        return Situation(kind="build", evidence=f"{FRONTEND_VARIABLE} is set", cibuildwheel=on_ci)
    build_dir = env.get("UV_INTERNAL__BUILD_DIR")
    if build_dir and Path(build_dir).resolve() == traces.source.resolve():
        return Situation(
            kind="uv", evidence="UV_INTERNAL__BUILD_DIR is this directory", cibuildwheel=on_ci
        )
    if on_ci:
        return Situation(kind="build", evidence="CIBUILDWHEEL is 1", cibuildwheel=True)
    if traces.tracked is not None:
        # What pip accepts by every route and never reuses from its cache.
        return Situation(
            kind="pip-sdist",
            evidence="pip's tracker is set, but empty",
            keeps_file=_pip_command(traces.parent) == "wheel",
        )
    return Situation(kind="unknown", evidence="no known front end left a trace")


def _pip_kind(requirement: str, *, is_sdist: bool) -> SituationKind:
    """Classify an entry of pip's tracker: `URL`, `name @ URL from URL` or `name==1 from URL`."""
    text = requirement.partition(" (from ")[0]
    name, at, _ = text.partition(" @ ")
    if (not at and " from " in text) or is_sdist:
        return "pip-sdist"
    url = (text[len(name) + 3 :] if at else text).partition(" from ")[0]
    if ":" not in url:
        return "pip-sdist"  # not a URL: the situation that pip accepts by every route
    archive = (
        url.lower().partition("#")[0].endswith((".tar.gz", ".zip", ".tar.bz2", ".tar.xz", ".tgz"))
    )
    if url.startswith("file:") and not archive:
        return "pip-tree"
    return "pip-archive"


def _pip_command(command: Sequence[str]) -> str:
    """Return the command that pip runs, by its command line; '' for an unknown one."""
    return next((word for word in command[1:] if word in _PIP_COMMANDS), "")


def _read_tracker(directory: Path) -> tuple[str, ...] | None:
    """Return the requirements in pip's tracker, newest first: an inner build comes later.

    None if the directory does not exist, because its pip has ended.
    """
    found: list[tuple[int, str]] = []
    try:
        for entry in directory.iterdir():
            if entry.is_file():
                found.append((entry.stat().st_mtime_ns, entry.read_text("utf-8", "replace")))
    except OSError:
        return () if directory.is_dir() else None
    return tuple(text for _, text in sorted(found, reverse=True) if text.strip())


def _program(command: Sequence[str]) -> _Program | None:
    """Return the front end that a command line runs; None if it is not a known one."""
    names = [_program_name(word) for word in command[:3]]
    if not names:
        return None
    if names[0] in ("uv", "uvx"):
        return "uv"
    if "-m" in command[1:4]:
        module = [*command[command.index("-m") + 1 :], ""][0].partition(".")[0]
        return _named(module, command)
    if "pyproject-build" in names or any(
        word.replace("\\", "/").endswith("/build/__main__.py") for word in command[:3]
    ):
        return "build"
    return next((_named(name, command) for name in ("poetry", "pdm", "tox") if name in names), None)


def _named(program: str, command: Sequence[str]) -> _Program | None:
    """Return the front end called `program`, which `command` runs with a subcommand."""
    match program:
        case "build" | "tox":
            return program
        case "poetry":
            return "poetry-build" if _makes_file(program, command) else "poetry"
        case "pdm":
            return "pdm-build" if _makes_file(program, command) else "pdm"
        case _:
            return None


def _makes_file(program: str, command: Sequence[str]) -> bool:
    """Distinguish `poetry build`, whose wheel is kept as a file, from commands that install."""
    after = next(i for i, word in enumerate(command) if _program_name(word) == program) + 1
    words = iter(command[after:])
    for word in words:
        if word in _WITH_VALUE[program]:
            next(words, None)
        elif not word.startswith("-"):
            return word in ("build", "publish")
    return False


def _program_name(word: str) -> str:
    name = word.replace("\\", "/").rpartition("/")[2].lower()
    return re.sub(r"(-script)?\.(exe|pyw?)$", "", name)
