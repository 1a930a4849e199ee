"""The values that probing returns. Pure data: nothing here accesses the machine.

A fact is `Found` with its source, `Absent` with the reason, or `Failed` with the error: a missing
compiler or GPU is an ordinary value, not an exception.
"""

from __future__ import annotations

from typing import Generic, Literal, TypeVar, Union

from variantbuild.values import dataclass

T = TypeVar("T")

Language = Literal["c", "cxx", "fortran"]
LANGUAGES: tuple[Language, ...] = ("c", "cxx", "fortran")

CompilerFamily = Literal["gcc", "clang", "apple-clang", "msvc", "icx", "nvhpc"]


@dataclass(frozen=True, slots=True)
class Found(Generic[T]):
    """A fact and where it was read: a path, a command line, an environment variable."""

    value: T
    source: str


@dataclass(frozen=True, slots=True)
class Absent:
    """Not present, with the reason for that conclusion. An ordinary state."""

    reason: str


@dataclass(frozen=True, slots=True)
class Failed:
    """Present, but it could not be read or understood."""

    error: str


Fact = Union[Found[T], Absent, Failed]  # noqa: UP007 - a subscriptable alias needs Union on 3.10


@dataclass(frozen=True, kw_only=True, slots=True)
class Cpu:
    """A CPU as the operating system reports it.

    `family` is archspec's name for the architecture (x86_64, aarch64, ppc64le, riscv64, …);
    `features` are Linux's names (/proc/cpuinfo); `level` is the highest generic level whose
    features are all there (`v1`–`v4` on x86-64, `armv8.2a` and so on on aarch64), None if the
    architecture has none; `part` and `vendor` are raw identification for naming.
    """

    family: str
    vendor: str
    features: frozenset[str]
    level: str | None
    part: str = ""
    generation: int = 0
    brand: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Libc:
    """The C library: `name` is glibc or musl, `version` its (major, minor)."""

    name: Literal["glibc", "musl"]
    version: tuple[int, int]


@dataclass(frozen=True, kw_only=True, slots=True)
class Distro:
    """The distribution of /etc/os-release: `id` (debian), `version_id` (12), both as written."""

    id: str
    version_id: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Compiler:
    """One compiler for one language.

    `command` is what runs it, absolute, launcher first (`/usr/bin/ccache /usr/bin/gcc`), with
    the arguments of the user's CC last; `version` is exact ("12.2.0"); `target` the
    target triple, empty if the compiler does not report it.
    """

    language: Language
    family: CompilerFamily
    version: str
    command: tuple[str, ...]
    target: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Rust:
    """A rustc: its release ("1.95.0"), its default target triple, and its LLVM's version.

    `llvm` is empty if rustc does not report it.
    """

    version: str
    host: str
    llvm: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class HostFacts:
    """Everything that is probed before a build. `compilers` has an entry for each language."""

    system: str
    machine: str
    cpu: Fact[Cpu]
    libc: Fact[Libc]
    distro: Fact[Distro]
    compilers: tuple[tuple[Language, Fact[Compiler]], ...] = ()

    def compiler(self, language: Language) -> Fact[Compiler]:
        """Return the fact about the compiler for `language`."""
        for name, fact in self.compilers:
            if name == language:
                return fact
        return Absent(f"no {language} compiler was probed")
