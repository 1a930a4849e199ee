"""The machine that this process runs on."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import field
from pathlib import Path

from variantbuild.host import READ_LIMIT, Completed, CpuId, ScratchRun
from variantbuild.values import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class LocalHost:
    """The machine that this process runs on.

    `env` is the environment for programs, and its PATH is searched for them; `source` is the tree
    that is built, in which no program is ever run.
    """

    env: Mapping[str, str]
    source: Path | None = None
    _found: dict[str, str | None] = field(default_factory=dict, init=False, repr=False)

    @property
    def system(self) -> str:
        """`platform.system()`, without importing that module."""
        return {"win32": "Windows", "cygwin": "Windows"}.get(sys.platform) or os.uname().sysname

    @property
    def machine(self) -> str:
        """`platform.machine()`."""
        if sys.platform == "win32":
            import platform

            return platform.machine()
        return os.uname().machine

    @property
    def platform(self) -> str:
        """`sysconfig.get_platform()`."""
        import sysconfig

        return sysconfig.get_platform()

    @property
    def hostname(self) -> str:
        """`platform.node()`."""
        if sys.platform == "win32":
            import platform

            return platform.node()
        return os.uname().nodename

    @property
    def usable_cpus(self) -> int:
        """How many CPUs this process may use."""
        if hasattr(os, "sched_getaffinity"):
            return len(os.sched_getaffinity(0))
        return os.cpu_count() or 1

    @property
    def site_directories(self) -> tuple[str, ...]:
        """The entries of `sys.path` in which distributions are installed."""
        names = ("site-packages", "dist-packages")
        return tuple(entry for entry in sys.path if Path(entry).name in names)

    def read_text(self, path: str, *, limit: int = READ_LIMIT) -> str | None:
        """Return the first `limit` bytes of the regular file at `path`; None if there is none."""
        if not os.path.isabs(path) or not os.path.isfile(path):  # noqa: PTH113, PTH117 - as below
            return None
        try:
            with open(path, "rb") as file:  # noqa: PTH123 - pathlib costs more than the read
                return file.read(limit).decode("utf-8", "replace")
        except OSError:
            return None

    def glob(self, pattern: str) -> tuple[str, ...]:
        """Return the absolute paths that match, sorted."""
        import glob

        return tuple(sorted(glob.glob(pattern))) if os.path.isabs(pattern) else ()  # noqa: PTH117, PTH207 - Path.glob takes no absolute patterns

    def which(self, name: str) -> str | None:
        """Return the absolute path of program `name`; None if it is not found."""
        if name not in self._found:
            from variantbuild.host.processes import find_program

            self._found[name] = find_program(name, self.env, self.source)
        return self._found[name]

    def config_var(self, name: str) -> str | None:
        """Return the interpreter's build variable `name`."""
        import sysconfig

        value = sysconfig.get_config_var(name)
        return value if isinstance(value, str) and value else None

    def confstr(self, name: str) -> str | None:
        """Return the C library's configuration string `name`."""
        try:
            return os.confstr(name)
        except (AttributeError, ValueError, OSError):  # not POSIX, unknown to the library, refused
            return None

    def cpuid(self) -> CpuId | None:
        """Return the result of CPUID, read by archspec."""
        from variantbuild.host.cpuid import read_cpuid

        return read_cpuid()

    def run(
        self,
        argv: Sequence[str],
        *,
        timeout: float = 20.0,
        cwd: Path | None = None,
        env: Mapping[str, str] | None = None,
    ) -> Completed:
        """Run `argv` in a new process group and return the result; never raises."""
        from variantbuild.host.processes import run_bounded

        merged = {**self.env, **(env or {}), "LC_ALL": "C"}
        return run_bounded(tuple(argv), env=merged, cwd=cwd, timeout=timeout)

    def run_scratch(
        self,
        argv: Sequence[str],
        *,
        files: Mapping[str, str],
        output: str,
        timeout: float = 20.0,
        env: Mapping[str, str] | None = None,
    ) -> ScratchRun:
        """Run `argv` in a temporary directory that contains `files`; never raises."""
        import tempfile

        try:
            with tempfile.TemporaryDirectory(prefix="variantbuild-") as name:
                directory = Path(name)
                for file, text in files.items():
                    (directory / file).write_text(text, encoding="utf-8")
                done = self.run(argv, timeout=timeout, cwd=directory, env=env)
                return ScratchRun(done=done, output=_first_bytes(directory / output))
        except OSError as error:
            place = error.filename or self.env.get("TMPDIR") or "/tmp"
            reason = f"needs a temporary directory, and {place} cannot be used: "
            reason += error.strerror or str(error)
            done = Completed(argv=tuple(argv), status=None, stdout="", stderr="", error=reason)
            return ScratchRun(done=done)


def _first_bytes(path: Path) -> bytes | None:
    try:
        with path.open("rb") as file:
            return file.read(READ_LIMIT)
    except OSError:
        return None
