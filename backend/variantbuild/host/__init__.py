"""Gives access to a machine: its files, environment, processes and staging directories.

Probes use a `Host`: `LocalHost` (in `local`) for this machine, recorded machines in tests.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Protocol

from variantbuild.values import dataclass

#: Default limit of `Host.read_text`, in bytes.
READ_LIMIT = 1 << 20


@dataclass(frozen=True, kw_only=True, slots=True)
class Completed:
    """A finished process: exit `status`, `stdout` and `stderr` decoded with replacement.

    `status` is None if the process was stopped (time limit, output limit) or could not be started;
    `error` then gives the reason in one clause. After a signal it is the negative signal number.
    """

    argv: tuple[str, ...]
    status: int | None
    stdout: str
    stderr: str
    error: str | None = None

    @property
    def ok(self) -> bool:
        """Return whether the process ran and exited with 0."""
        return self.status == 0

    @property
    def failure(self) -> str:
        """How the process failed, in one clause; empty if it succeeded."""
        if self.status is None:
            return self.error or "did not finish"
        if self.status < 0:
            return f"was killed by signal {-self.status}"
        return f"exited with status {self.status}" if self.status else ""


@dataclass(frozen=True, kw_only=True, slots=True)
class CpuId:
    """The result of the x86 CPUID instruction: `vendor`, `features` by their Linux names, `brand`.

    `enabled_states` is XCR0, the register states that the operating system saves (bit 1 SSE,
    bit 2 AVX, bits 5-7 AVX-512); None if it could not be read.
    """

    vendor: str
    features: frozenset[str]
    enabled_states: int | None = None
    brand: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class ScratchRun:
    """The result of a program that ran in a temporary directory.

    `output` contains the first READ_LIMIT bytes of the file that it was expected to write, None if
    there is no such file.
    """

    done: Completed
    output: bytes | None = None


class Host(Protocol):
    """What a probe may use of a machine."""

    @property
    def env(self) -> Mapping[str, str]:
        """The environment variables."""

    @property
    def system(self) -> str:
        """`platform.system()`: Linux, Darwin, Windows."""

    @property
    def machine(self) -> str:
        """`platform.machine()`: x86_64, aarch64, arm64, AMD64, …"""

    @property
    def platform(self) -> str:
        """`sysconfig.get_platform()` of the interpreter: linux-x86_64, macosx-14.0-arm64, …"""

    @property
    def hostname(self) -> str:
        """The name of the machine in its network, with or without a domain."""

    @property
    def usable_cpus(self) -> int:
        """How many CPUs this process may use."""

    @property
    def site_directories(self) -> tuple[str, ...]:
        """The directories in which distributions of the interpreter are installed."""

    def read_text(self, path: str, *, limit: int = READ_LIMIT) -> str | None:
        """Return the first `limit` bytes of the regular file at an absolute `path` as text.

        None if it cannot be read.
        """

    def glob(self, pattern: str) -> tuple[str, ...]:
        """Return the absolute paths that match an absolute glob `pattern`, sorted."""

    def which(self, name: str) -> str | None:
        """Return the absolute path of program `name`; None if it is not found.

        Relative entries of PATH, the current directory and the source tree are never searched.
        """

    def config_var(self, name: str) -> str | None:
        """Return the interpreter's build variable `name` (sysconfig), None if it is not set."""

    def confstr(self, name: str) -> str | None:
        """Return the C library's configuration string `name`, None if it is not known."""

    def cpuid(self) -> CpuId | None:
        """Return the result of CPUID; None if the CPU is not x86 or CPUID cannot be run."""

    def run(
        self,
        argv: Sequence[str],
        *,
        timeout: float = 20.0,
        cwd: Path | None = None,
        env: Mapping[str, str] | None = None,
    ) -> Completed:
        """Run `argv` (absolute program first) and return the result; never raises.

        Runs in a new process group with `LC_ALL=C`, without standard input, and with output limited
        to 1 MiB per stream; after `timeout` seconds the whole group is killed. `env` is added to
        the environment.
        """

    def run_scratch(
        self,
        argv: Sequence[str],
        *,
        files: Mapping[str, str],
        output: str,
        timeout: float = 20.0,
        env: Mapping[str, str] | None = None,
    ) -> ScratchRun:
        """Run `argv` as `run` does, in a temporary directory that contains `files` (name to text).

        `output` is the name of the file that the program is expected to write there. The directory
        is removed afterwards.
        """
