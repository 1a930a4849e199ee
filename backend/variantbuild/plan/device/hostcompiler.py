"""nvcc's host compiler: the one that it would use, and another one if that is too new.

nvcc compiles host code with gcc or clang and rejects versions that are too new for its release
(crt/host_config.h), late in the build. The limits are in data/cuda.json.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Literal, TypedDict, cast

from variantbuild.data import load_table
from variantbuild.errors import AcceleratorError
from variantbuild.host import Host
from variantbuild.probe.gpu.gpufacts import Toolkit
from variantbuild.values import dataclass

_TIMEOUT = 10.0  # seconds
_MACRO = re.compile(r"^#define (__clang_major__|__GNUC__) (\d+)$", re.MULTILINE)
#: The flag that disables nvcc's limit.
OVERRIDE = "-allow-unsupported-compiler"


@dataclass(frozen=True, kw_only=True, slots=True)
class HostCompiler:
    """A compiler for nvcc's host code. `chosen` is true if it is not the one that nvcc would use.

    `note` explains why to the user.
    """

    command: str
    family: Literal["gcc", "clang"]
    major: int
    chosen: bool = False
    note: str = ""

    def __str__(self) -> str:
        """Return its common name: `gcc 12`."""
        return f"{self.family} {self.major}"


class _Limits(TypedDict):
    gcc: int
    clang: int


def choose_host_compiler(host: Host, toolkit: Toolkit, flags: str = "") -> HostCompiler | None:
    """Return the host compiler for `toolkit`: nvcc's own choice, else the newest permitted one.

    `flags` are the user's for nvcc; -allow-unsupported-compiler disables the limit. None if the
    compiler is neither gcc nor clang. Raises AcceleratorError if there is no compiler, and if the
    user's own (CUDAHOSTCXX, NVCC_CCBIN) or every installed one is too new.
    """
    users = [(name, host.env.get(name, "")) for name in ("CUDAHOSTCXX", "NVCC_CCBIN")]
    for variable, command in (("CUDACXX -ccbin", _ccbin(toolkit.arguments)), *users):
        if command:
            path = command if command.startswith("/") else host.which(command)
            if path is None:
                raise AcceleratorError(f"{variable}={command} is not on PATH")
            return _checked(host, path, f"{variable}={command}", toolkit, flags)
    # nvcc calls gcc for all but the last link, C++ included (nvcc 13.0 -dryrun).
    path = host.which("gcc") or host.which("g++")
    if path is None:
        raise AcceleratorError(
            f"{toolkit} compiles host code with gcc, which is not on PATH",
            hint="install g++, or name a compiler in CUDAHOSTCXX",
        )
    usual = _identify(host, path)
    if usual is None or OVERRIDE in flags or usual.major <= limit(toolkit, usual.family):
        return usual
    return _alternative(host, toolkit, usual)


def _ccbin(arguments: Sequence[str]) -> str:
    """Return the host compiler that the `arguments` of nvcc name; '' for none."""
    for number, word in enumerate(arguments):
        name, equals, value = word.partition("=")
        if name in ("-ccbin", "--compiler-bindir"):
            return value if equals else "".join(arguments[number + 1 : number + 2])
    return ""


def limit(toolkit: Toolkit, family: Literal["gcc", "clang"]) -> int:
    """Return the newest major version of `family` that nvcc of `toolkit` permits."""
    rows = cast("dict[str, _Limits]", load_table("cuda")["toolkits"])
    known = {tuple(int(part) for part in release.split(".")): row for release, row in rows.items()}
    before = [release for release in known if release <= toolkit.version] or [min(known)]
    return known[max(before)][family]


def _checked(
    host: Host, path: str, origin: str, toolkit: Toolkit, flags: str
) -> HostCompiler | None:
    compiler = _identify(host, path)
    if compiler is None or OVERRIDE in flags:
        return compiler
    newest = limit(toolkit, compiler.family)
    if compiler.major > newest:
        raise AcceleratorError(
            f"{origin} is {compiler.family} {compiler.major}, and {toolkit} supports at most "
            f"{compiler.family} {newest}",
            hint=f"name an older compiler, or add {OVERRIDE} to flags.cuda",
        )
    return compiler


def _alternative(host: Host, toolkit: Toolkit, usual: HostCompiler) -> HostCompiler:
    newest = limit(toolkit, "gcc")
    oldest = cast("int", load_table("cuda")["minimum_gcc"])
    gccs = [f"g++-{major}" for major in range(newest, oldest - 1, -1)]
    clangs = [f"clang++-{major}" for major in range(limit(toolkit, "clang"), oldest - 1, -1)]
    for name in (*gccs, *clangs):
        path = host.which(name)
        found = None if path is None else _identify(host, path)
        if found is not None and found.major <= limit(toolkit, found.family):
            return HostCompiler(
                command=found.command,
                family=found.family,
                major=found.major,
                chosen=True,
                note=f"{usual.command} is {usual.family} {usual.major}, too new for {toolkit}: "
                f"{found.command} compiles its host code",
            )
    raise AcceleratorError(
        f"{usual.command} is {usual.family} {usual.major}, and {toolkit} supports at most "
        f"{usual.family} {limit(toolkit, usual.family)}",
        hint=f"install g++-{newest}, or name a permitted compiler in CUDAHOSTCXX",
    )


def _identify(host: Host, path: str) -> HostCompiler | None:
    """Identify a compiler by its predefined macros, which wrappers and renamed programs keep."""
    argv = [path, "-dM", "-E", "-x", "c++", "/dev/null"]
    answer = host.run(argv, timeout=_TIMEOUT)
    macros = {name: int(number) for name, number in _MACRO.findall(answer.stdout)}
    if not answer.ok or not macros:
        return None
    if "__clang_major__" in macros:
        return HostCompiler(command=path, family="clang", major=macros["__clang_major__"])
    return HostCompiler(command=path, family="gcc", major=macros["__GNUC__"])
