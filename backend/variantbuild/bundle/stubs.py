"""Compiles the stub that chooses among the copies of a module.

The C source is the same for every Python, C library and architecture (chooser.c); what differs is
a header of tables.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

from variantbuild.binary.choosers import Chooser
from variantbuild.binary.elf import parse_elf
from variantbuild.bundle.codeless import render_codeless
from variantbuild.bundle.cpuquestions import (
    Demand,
    questions_for,
    resolve_demand,
    states_for,
)
from variantbuild.errors import BundleError
from variantbuild.host import Completed
from variantbuild.host.local import LocalHost
from variantbuild.isa.architecture import architecture, parse_machine

#: Nothing is linked, so that no symbol gets a version. Without them the C library of the build
#: machine would be needed: glibc 2.34 gave dlopen a new version.
_FLAGS = (
    "-shared", "-fPIC", "-O2", "-std=gnu11", "-fvisibility=hidden", "-fno-stack-protector",
    "-fno-builtin", "-fno-ident", "-fno-lto", "-nostdlib", "-Wl,--build-id=none",
    "-Wl,-z,noexecstack", "-Wl,-z,noseparate-code", "-Wl,-z,relro", "-Wl,-z,now", "-Wl,-s",
)  # fmt: skip
_BASELINES = {"x86_64": ("-march=x86-64", "-mtune=generic"), "aarch64": ("-march=armv8-a",)}
_CROSS = {"x86_64": "x86_64-linux-gnu-gcc", "aarch64": "aarch64-linux-gnu-gcc"}
#: glibc before 2.34 has dlopen in a library of its own; newer glibc has an empty one, and musl
#: takes the name for itself.
_DL = "libdl.so.2"
_SOURCE, _TABLE, _OUTPUT = "chooser.c", "chooser_table.h", "chooser.so"


@dataclass(frozen=True, kw_only=True, slots=True)
class Stub:
    """What a stub is compiled from.

    `module` is its path for messages, `inits` the functions that Python looks up; `demands` are
    those of the copies in `chooser`, in the same order.
    """

    module: str
    arch: str
    inits: tuple[str, ...]
    chooser: Chooser
    demands: tuple[Demand, ...]
    is_musl: bool


class StubCompiler:
    """Compiles stubs with the first compiler of this machine that can."""

    def __init__(self, env: Mapping[str, str]) -> None:
        self._host = LocalHost(env=env)
        self._command: tuple[str, ...] | None = None

    def compile(self, stub: Stub) -> bytes:
        """Return the stub as a shared object.

        Raises BundleError if there is no C compiler, or none that compiles for the architecture.
        """
        if self._command is not None:
            return self._run(self._command, stub)
        failures: list[str] = []
        for command in self._candidates(stub.arch):
            try:
                data = self._run(command, stub)
            except BundleError as error:
                failures.append(error.message)
                continue
            self._command = command
            return data
        reason = failures[0] if failures else "no C compiler is on PATH, and CC names none"
        raise BundleError(
            f"the chooser of {stub.module} cannot be compiled: {reason}",
            hint=f"install gcc or clang, or set CC to a compiler for {stub.arch} Linux",
        )

    def _candidates(self, arch: str) -> list[tuple[str, ...]]:
        named = self._host.env.get("CC", "").split()
        found: list[tuple[str, ...]] = []
        if named:
            program = self._host.which(named[0])
            found += [] if program is None else [(program, *named[1:])]
        own = arch in parse_machine(self._host.machine) and self._host.system == "Linux"
        for name in (*(("cc", "gcc", "clang") if own else ()), _CROSS[arch], "clang"):
            program = self._host.which(name)
            if program is not None:
                target = (f"--target={arch}-linux-gnu", "-fuse-ld=lld") if name == "clang" else ()
                found.append((program, *target))
        return list(dict.fromkeys(found))

    def _run(self, command: Sequence[str], stub: Stub) -> bytes:
        from tempfile import TemporaryDirectory

        with TemporaryDirectory(prefix="variantbuild-") as name:
            directory = Path(name)
            (directory / _SOURCE).write_bytes(_source())
            (directory / _TABLE).write_text(render_table(stub), encoding="utf-8")
            libraries = () if stub.is_musl else (_DL,)
            for library in libraries:
                (directory / library).write_bytes(
                    render_codeless(stub.arch, needed=(), run_paths=(), table=b"", soname=library)
                )
            words = [*command, *_FLAGS, *_BASELINES[stub.arch], "-o", _OUTPUT, _SOURCE]
            words += ["-Wl,--no-as-needed", *libraries]
            done = self._host.run(words, timeout=120, cwd=directory)
            if not done.ok:
                raise BundleError(f"{command[0]} failed: {_reason(done)}")
            data = (directory / _OUTPUT).read_bytes()
        elf = parse_elf(data)
        if elf.machine != stub.arch:
            raise BundleError(f"{command[0]} compiles for {elf.machine}, not for {stub.arch}")
        return data


def _reason(done: Completed) -> str:
    lines = [line.strip() for line in (done.stderr + done.stdout).splitlines() if line.strip()]
    telling = [line for line in lines if "error" in line.lower()] or lines
    return telling[0] if telling else done.failure


@functools.cache
def _source() -> bytes:
    return files("variantbuild.bundle").joinpath(_SOURCE).read_bytes()


def render_table(stub: Stub) -> str:
    """Return the header of tables that chooser.c includes."""
    lines = [
        f"#define VB_MODULE {_quoted(stub.module)}",
        f"#define VB_TABLE {_quoted(str(stub.chooser))}",
        "#define VB_INITS(X) " + " ".join(f"X({name})" for name in stub.inits),
    ]
    rows = []
    for number, (copy, demand) in enumerate(zip(stub.chooser.copies, stub.demands, strict=True)):
        questions = questions_for(stub.arch, demand)
        tests = ", ".join(
            f"{{{each.leaf:#x}u, {each.subleaf:#x}u, {each.word}, {each.mask:#x}ull}}"
            for each in questions
        )
        libraries = "".join(f"{_quoted(each)}, " for each in copy.libraries)
        lines += [
            f"static const struct test tests_{number}[] = {{ {tests or '{0, 0, 0, 0}'} }};",
            f"static const char *const libraries_{number}[] = {{ {libraries}NULL }};",
        ]
        vendor = "NULL" if demand.vendor is None else _quoted(demand.vendor)
        rows.append(
            f"{{ {_quoted(copy.label)}, {_quoted(copy.file)}, tests_{number}, {len(questions)}, "
            f"{states_for(stub.arch, demand):#x}ull, {vendor}, libraries_{number} }}"
        )
    accepted = accepted_levels(stub.arch, stub.demands)
    lines.append("#define VB_COPIES " + ", ".join(rows))
    lines.append(
        "#define VB_ACCEPTED "
        + ", ".join(f"{{ {_quoted(name)}, {mask:#x}ull }}" for name, mask in accepted)
    )
    lines.append(f"#define VB_NAMES {_quoted(', '.join(name for name, _ in accepted))}")
    return "\n".join((*lines, ""))


def accepted_levels(arch: str, demands: Sequence[Demand]) -> tuple[tuple[str, int], ...]:
    """Return the values of VARIANTBUILD_LEVEL, each with the copies that it allows as bits.

    Every level of the architecture is accepted, since a process may load bundles with different
    levels, and the name of each copy.
    """
    known = {demand.label: demand for demand in demands}
    for level in architecture(arch).levels:
        if level.features is not None and level.name not in known:
            known[level.name] = resolve_demand(arch, level.name)
    found = []
    for name, limit in sorted(known.items(), key=lambda each: (len(each[1].features), each[0])):
        allowed = sum(1 << i for i, each in enumerate(demands) if limit.includes(each))
        found.append((name, allowed))
    return tuple(found)


def _quoted(text: str) -> str:
    """Return `text` as a C string: every byte that is not plain is written as a number."""
    plain = "".join(
        chr(byte) if 32 <= byte < 127 and chr(byte) not in '"\\?' else f"\\{byte:03o}"
        for byte in text.encode()
    )
    return f'"{plain}"'
