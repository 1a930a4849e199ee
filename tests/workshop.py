"""Shared by integration tests: a wheelhouse, fresh environments, copies of projects.

The wheelhouse is built once a session; everything after it runs without a package index.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol, cast

REPO = Path(__file__).resolve().parent.parent
PACKAGES = REPO / "tests" / "packages"
#: The projects there; common holds files that several of them link to.
PROJECTS = tuple(sorted(each.name for each in PACKAGES.iterdir() if each.name != "common"))
SOURCES = REPO / "tests" / "sources"


@dataclass(frozen=True)
class Done:
    """A finished command; `output` is standard output followed by standard error."""

    command: tuple[str, ...]
    code: int
    stdout: str
    stderr: str

    @property
    def output(self) -> str:
        return self.stdout + self.stderr

    def ok(self) -> Done:
        assert self.code == 0, f"{' '.join(self.command)} exited {self.code}\n{self.output}"
        return self


def clean_environment(home: Path, wheelhouse: Path) -> dict[str, str]:
    """Return the environment of a fresh user: the compilers' PATH, an empty home, no index."""
    kept = {name: os.environ[name] for name in ("PATH", "LANG", "TMPDIR") if name in os.environ}
    own_bin = str(Path(sys.executable).parent)
    kept["PATH"] = os.pathsep.join(p for p in kept["PATH"].split(os.pathsep) if p != own_bin)
    return {
        **kept,
        "HOME": str(home),
        "XDG_CONFIG_HOME": str(home / "config"),
        "XDG_CACHE_HOME": str(home / "cache"),
        "PIP_NO_INDEX": "1",
        "PIP_FIND_LINKS": wheelhouse.as_uri(),
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
        "PIP_CONFIG_FILE": os.devnull,
        "PIP_NO_COMPILE": "1",  # the wheels contain their bytecode
        "UV_OFFLINE": "1",
        "UV_FIND_LINKS": str(wheelhouse),
        "UV_NO_CONFIG": "1",
        "UV_PYTHON_DOWNLOADS": "never",
    }


def run(*command: str | Path, cwd: Path, env: Mapping[str, str], timeout: float = 600) -> Done:
    """Run `command` and return the result."""
    words = tuple(map(str, command))
    done = subprocess.run(
        words,
        cwd=cwd,
        env=dict(env),
        capture_output=True,
        text=True,
        errors="replace",
        timeout=timeout,
        check=False,
        stdin=subprocess.DEVNULL,
    )
    return Done(words, done.returncode, done.stdout, done.stderr)


@dataclass(frozen=True)
class Environment:
    """A virtual environment with pip, and the environment variables to use it."""

    directory: Path
    wheelhouse: Path
    uv: Path
    env: dict[str, str] = field(default_factory=dict)

    @property
    def python(self) -> Path:
        return self.directory / "bin" / "python"

    def run(self, *command: str | Path, cwd: Path | None = None, **env: str) -> Done:
        return run(*command, cwd=cwd or self.directory, env={**self.env, **env})

    def pip(self, *words: str | Path, cwd: Path | None = None, **env: str) -> Done:
        return self.run(self.python, "-m", "pip", *words, cwd=cwd, **env)

    def uv_pip(self, *words: str | Path, cwd: Path | None = None, **env: str) -> Done:
        return self.run(self.uv, "pip", *words, "--python", self.python, cwd=cwd, **env)

    def ask(self, expression: str, module: str) -> str:
        """Import `module` in this environment and return the value of `expression` as text."""
        code = f"import {module}; print({expression})"
        return self.run(self.python, "-c", code).ok().stdout.strip()

    def compiled_for(self, module: str) -> dict[str, str | int]:
        """Ask an installed test module what it was compiled for."""
        code = f"import {module}, json; print(json.dumps({module}.compiled_for()))"
        answer = self.run(self.python, "-c", code).ok().stdout
        return cast("dict[str, str | int]", json.loads(answer))

    def version(self, distribution: str) -> str:
        """Return the installed version of `distribution`."""
        return self.ask(f"importlib.metadata.version({distribution!r})", "importlib.metadata")


class MakeEnvironment(Protocol):
    """Makes a fresh environment called `name` of interpreter `python`, with `extra` installed."""

    def __call__(
        self, name: str = "venv", python: str | Path = sys.executable, *extra: str
    ) -> Environment: ...


def copy_project(name: str, directory: Path) -> Path:
    """Copy tests/packages/`name`, or the example project, into `directory` and return the copy."""
    target = directory / name
    source = REPO / name if name == "example_project" else PACKAGES / name
    shutil.copytree(source, target, ignore=shutil.ignore_patterns("build", "*.egg-info"))
    return target
