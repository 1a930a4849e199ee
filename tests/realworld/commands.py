"""Run programs, and record their output, their duration and their CPU time."""

from __future__ import annotations

import os
import subprocess
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

#: Variables that would change what is built, or by whom.
_UNWANTED = ("CFLAGS", "CXXFLAGS", "CPPFLAGS", "FFLAGS", "LDFLAGS", "RUSTFLAGS", "CC", "CXX", "FC")


class StepError(Exception):
    """A step that failed: a sentence, and what the programs printed."""

    def __init__(self, message: str, output: str) -> None:
        super().__init__(message)
        self.output = output


@dataclass(frozen=True, kw_only=True, slots=True)
class Done:
    """A finished program; `cpu` are seconds of it and all its children."""

    code: int
    output: str
    seconds: float
    cpu: float

    def ok(self, sentence: str) -> Done:
        """Return this; raises StepError with `sentence` where the program failed."""
        if self.code:
            raise StepError(sentence, self.output)
        return self


def clean_environment(directory: Path) -> dict[str, str]:
    """Return this process's environment without variables that affect builds.

    Temporary files go to `directory`.
    """
    kept = {
        name: value
        for name, value in os.environ.items()
        if name not in _UNWANTED
        and not name.startswith(("VARIANTBUILD_", "_VARIANTBUILD", "PYTHON", "SKBUILD", "CMAKE_"))
    }
    directory.mkdir(parents=True, exist_ok=True)
    return {
        **kept,
        "TMPDIR": str(directory),
        "CCACHE_DISABLE": "1",
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
    }


def run(*command: str | Path, cwd: Path, env: Mapping[str, str], limit: float = 3600) -> Done:
    """Run `command` for at most `limit` seconds and return the result."""
    started = time.monotonic()
    with tempfile.TemporaryFile() as stream:
        process = subprocess.Popen(
            [str(word) for word in command],
            cwd=cwd,
            env=dict(env),
            stdin=subprocess.DEVNULL,
            stdout=stream,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        usage = _wait(process, started + limit)
        stream.seek(0)
        output = stream.read().decode("utf-8", "replace")
    return Done(
        code=process.returncode,
        output=output,
        seconds=time.monotonic() - started,
        cpu=usage,
    )


def _wait(process: subprocess.Popen[bytes], deadline: float) -> float:
    """Wait for `process`, ending its whole group at `deadline`; return its CPU seconds."""
    while True:
        pid, status, usage = os.wait4(process.pid, os.WNOHANG)
        if pid:
            process.returncode = os.waitstatus_to_exitcode(status)
            return usage.ru_utime + usage.ru_stime
        if time.monotonic() > deadline:
            os.killpg(process.pid, 9)
            deadline = float("inf")
        time.sleep(0.02)
