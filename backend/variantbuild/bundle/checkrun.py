"""Runs a command at each level of a bundle, and looks whether the level's copy was loaded.

A wheel that lost its fast copy passes every test of its answers. What was loaded is read from
the report of glibc's loader (LD_DEBUG), and from the files that a Python process has mapped, which
also tells with musl; not from what the chooser says of itself.
"""

from __future__ import annotations

import os
import re
import shlex
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from variantbuild.audit.copies import Copies
from variantbuild.binary.elf import ElfError, parse_elf
from variantbuild.bundle.cpuquestions import Demand
from variantbuild.bundle.finished import copy_for, levels_of, read_copies
from variantbuild.data import load_table
from variantbuild.errors import BundleCheckError, BundleError
from variantbuild.host import Completed
from variantbuild.host.local import LocalHost
from variantbuild.isa.levels import baseline
from variantbuild.probe.cpu import probe_cpu
from variantbuild.probe.facts import Found
from variantbuild.select.cpufit import lacks
from variantbuild.stamp.declared import read_declared, single_architecture
from variantbuild.wheel import Wheel, open_wheel, verify_wheel

_TIMEOUT = 3600.0
_LOADED = re.compile(r"calling init: (.+)")
#: A line of /proc/self/maps (proc(5)).
_MAPPED = re.compile(r"^[0-9a-f]+-[0-9a-f]+ \S+ \S+ \S+ \d+\s+(/.+)$")
_PYTHONS = ("python", "python3")


@dataclass(frozen=True, kw_only=True, slots=True)
class Checked:
    """The result at one level: how the command ran, or why it did not."""

    level: str
    how: str
    skipped: bool = False


def split_command(command: str) -> tuple[str, ...]:
    """Return the words of the value of --check; raises BundleError if it has none."""
    try:
        words = shlex.split(command)
    except ValueError as error:
        raise BundleError(
            f"--check {command!r} is not a command: {str(error).lower()}",
            hint="quote it for the shell as one word, such as --check 'python -m pytest tests'",
        ) from None
    if not words:
        raise BundleError("--check names no command", hint="such as --check 'python -c \"…\"'")
    return tuple(words)


def check_levels(path: Path, command: str, env: Mapping[str, str]) -> tuple[Checked, ...]:
    """Run `command` at each level of the bundle at `path`; return how.

    The wheel is unpacked to a temporary directory, which is first in PYTHONPATH. A level that
    neither this machine nor an emulator has is skipped. Raises BundleCheckError if the command
    fails at a level, or loads another copy than that of the level.
    """
    from tempfile import TemporaryDirectory

    words = split_command(command)
    with open_wheel(path) as wheel, TemporaryDirectory(prefix="variantbuild-") as name:
        inventory = verify_wheel(wheel)
        copies = read_copies(wheel)
        site = Path(name, "site")
        _unpack(wheel, inventory.data_directory, site)
        runner = _Runner(
            words=words,
            site=site.resolve(),
            copies=copies,
            arch=single_architecture(read_declared(inventory)),
            host=LocalHost(env=env),
        )
        return tuple(runner.check(demand) for demand in levels_of(copies, runner.arch))


def _unpack(wheel: Wheel, data: str | None, site: Path) -> None:
    for member in wheel.members:
        if member.is_dir:
            continue
        top, _, rest = member.name.partition("/")
        scheme, _, inside = rest.partition("/")
        if top == data:
            if scheme not in ("purelib", "platlib"):
                continue
            target = site / inside
        else:
            target = site / member.name
        target.parent.mkdir(parents=True, exist_ok=True)
        with target.open("wb") as stream:
            stream.writelines(wheel.stream(member))


@dataclass(frozen=True, kw_only=True, slots=True)
class _Runner:
    words: tuple[str, ...]
    site: Path
    copies: Copies
    arch: str
    host: LocalHost

    def check(self, demand: Demand) -> Checked:
        """Run the command for one level and look at what was loaded."""
        found = self._prefix(demand.label)
        if isinstance(found, str):
            return Checked(level=demand.label, how=found, skipped=True)
        how = "natively" if not found else f"under {' '.join(Path(found[0]).name.split())}"
        how += f" -cpu {found[2]}" if found else ""
        reports = self.site.parent / f"loaded-{demand.label}"
        reports.mkdir()
        done = self._run(found, demand.label, reports)
        if not done.ok:
            raise BundleCheckError(
                f"the command failed at {demand.label} ({how}): {done.failure}{_last_line(done)}"
            )
        self._compare(demand, how, _loaded(reports, self.site.parent))
        return Checked(level=demand.label, how=how)

    def _prefix(self, label: str) -> tuple[str, ...] | str:
        """Return the emulator's words for a level, none for this CPU, or why neither has it."""
        fact = probe_cpu(self.host)
        cpu = fact.value if isinstance(fact, Found) else None
        if cpu is not None and cpu.family == self.arch:
            if label == baseline(self.arch) or not lacks(cpu, label):
                return ()
        elif machine_of_program(self._program()) != self.arch:
            own = "another machine" if cpu is None else cpu.family
            return f"the bundle is for {self.arch}, and {self.words[0]} runs on {own}"
        table = cast("dict[str, dict[str, str]]", load_table("bundle")["emulated"])
        emulated = table.get(self.arch, {}).get(label)
        program = self.host.which(f"qemu-{self.arch}")
        if emulated is None:
            return f"this CPU lacks {label}, and qemu emulates no CPU that has it"
        if program is None:
            return f"this CPU lacks {label}, and qemu-{self.arch} is not installed (qemu-user)"
        return (program, "-cpu", emulated)

    def _program(self) -> str:
        program = self.words[0]
        found = sys.executable if program in _PYTHONS else self.host.which(program)
        if found is None:
            raise BundleError(f"--check: {program} is not found", hint="name a program on PATH")
        return found

    def _run(self, prefix: tuple[str, ...], label: str, reports: Path) -> Completed:
        watch = reports / "watch"
        watch.mkdir()
        (watch / "sitecustomize.py").write_bytes(_watch_source())
        tunables = cast("dict[str, str]", load_table("bundle")["tunables"]).get(label)
        path = self.host.env.get("PYTHONPATH", "")
        env = {
            "PYTHONPATH": os.pathsep.join(filter(None, (str(watch), str(self.site), path))),
            "VARIANTBUILD_LEVEL": label,
            "LD_DEBUG": "files",
            "LD_DEBUG_OUTPUT": str(reports / "loaded"),
        }
        if tunables is not None and not prefix:
            env["GLIBC_TUNABLES"] = f"glibc.cpu.hwcaps={tunables}"
        root = Path(f"/usr/{self.arch}-linux-gnu")
        if prefix and "QEMU_LD_PREFIX" not in self.host.env and root.is_dir():
            env["QEMU_LD_PREFIX"] = str(root)  # where Debian keeps the libraries
        words = (*prefix, self._program(), *self.words[1:])
        return self.host.run(words, timeout=_TIMEOUT, cwd=self.site.parent, env=env)

    def _compare(self, demand: Demand, how: str, loaded: frozenset[Path]) -> None:
        modules = {
            name: chooser
            for name, chooser in self.copies.choosers.items()
            if (self.site / name) in loaded
        }
        if not modules:
            seen = "loaded no module that has copies" if loaded else "was not seen to load any file"
            raise BundleCheckError(
                f"the command {seen} at {demand.label} ({how})",
                hint="import the package's compiled modules, and run Python without -I and -S",
            )
        for name, chooser in modules.items():
            copy = copy_for(chooser, demand, self.arch)
            place = self.site / name
            files = [place.parent / file for file in (copy.file, *copy.libraries)]
            missing = [each for each in files if Path(os.path.normpath(each)) not in loaded]
            if missing:
                raise BundleCheckError(
                    f"{name} did not load {missing[0].name} at {demand.label} ({how}), the copy "
                    "for that level"
                )


def _loaded(reports: Path, directory: Path) -> frozenset[Path]:
    """Return the files that the loader reported, or that were mapped, of all processes.

    The loader may name them from the current `directory` of the command.
    """
    found: set[Path] = set()
    for report in reports.iterdir():
        if not report.is_file():
            continue
        pattern = _MAPPED if report.name.startswith("mapped") else _LOADED
        for line in report.read_text("utf-8", "replace").splitlines():
            match = pattern.search(line)
            if match is not None:
                found.add(Path(os.path.normpath(directory / match[1])))
    return frozenset(found)


def _last_line(done: Completed) -> str:
    lines = [line.strip() for line in done.stderr.splitlines() if line.strip()]
    return f": {lines[-1]}" if lines else ""


def _watch_source() -> bytes:
    from importlib.resources import files

    return files("variantbuild.bundle").joinpath("sitewatch.py").read_bytes()


def machine_of_program(path: str) -> str | None:
    """Return the architecture of an ELF program; None for a script, and for what cannot be read."""
    try:
        return parse_elf(Path(path).read_bytes()).machine
    except (OSError, ElfError):
        return None
