"""Lays out the files of a bundle: choosers in the place of modules, and the copies."""

from __future__ import annotations

import hashlib
import posixpath
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from variantbuild.binary.choosers import Chooser, Copy
from variantbuild.bundle.choices import Choice, Links
from variantbuild.bundle.codeless import render_codeless
from variantbuild.bundle.compared import Compared, Contents
from variantbuild.bundle.debuginfo import drop_debug
from variantbuild.bundle.inputs import Input, Inputs
from variantbuild.bundle.methods import Chosen, hwcaps_directory, is_musl
from variantbuild.bundle.stubs import Stub, StubCompiler
from variantbuild.errors import BundleError
from variantbuild.wheel.machinecode import read_machine_code


@dataclass(frozen=True, kw_only=True, slots=True)
class Assembled:
    """The files of a bundle that are not the baseline's, by name."""

    files: dict[str, bytes] = field(default_factory=dict)


def assemble(
    inputs: Inputs,
    contents: Sequence[Contents],
    compared: Compared,
    choices: Sequence[Choice],
    chosen: Chosen,
    compiler: StubCompiler,
) -> Assembled:
    """Return the new and changed files of the bundle.

    Raises BundleError if a stub cannot be compiled, or if a copy would have the name of another
    member.
    """
    taken = set(contents[-1].files)
    files: dict[str, bytes] = {}
    work = _Work(inputs=inputs, contents=contents, choices=choices, chosen=chosen)
    for choice in choices:
        if choice.is_single:
            continue
        chooser = work.chooser(choice)
        for name, data in work.copies(choice, chooser):
            if name in taken:
                raise BundleError(f"{name} is in the wheel already: no copy can have its name")
            files[name] = data
        files[choice.name] = work.render(choice, chooser, compiler)
    for label, name in compared.extra:
        files.setdefault(name, work.read(name, label))
    return Assembled(files=files)


@dataclass(frozen=True, kw_only=True, slots=True)
class _Work:
    inputs: Inputs
    contents: Sequence[Contents]
    choices: Sequence[Choice]
    chosen: Chosen

    def chooser(self, choice: Choice) -> Chooser:
        """Return the table of a module's copies, with paths from its directory."""
        directory = posixpath.dirname(choice.name)
        return Chooser(
            method=self.chosen.method,
            copies=tuple(
                Copy(
                    label=row.label,
                    file=_relative(self.place(choice.name, row.source), directory),
                    libraries=tuple(
                        _relative(self.library(name, source), directory)
                        for name, source in row.libraries
                    ),
                )
                for row in choice.rows
            ),
        )

    def place(self, name: str, source: str) -> str:
        """Return the name of the copy of module `name` for the level `source`."""
        if self.chosen.method == "stub":
            return f"{name}.{source}"
        directory, base = posixpath.split(name)
        unique = f"{base}.{self.mark(name)}"
        if source == self.inputs.baseline.label:
            return posixpath.join(directory, unique)
        level = hwcaps_directory(source)
        assert level is not None, source
        return posixpath.join(directory, "glibc-hwcaps", level, unique)

    def library(self, name: str, source: str) -> str:
        """Return the name of the copy of library `name` for `source`; the baseline keeps its own.

        It stands in the same directory, where its own libraries are found as before.
        """
        return name if source == self.inputs.baseline.label else f"{name}.{source}"

    def mark(self, name: str) -> str:
        """Return a word that no other library of a process has in its name."""
        project = f"{self.inputs.baseline.inventory.name}\0{self.inputs.version}\0{name}\0"
        digest = self.contents[-1].digests[name]
        return hashlib.sha256((project + digest).encode()).hexdigest()[:8]

    def copies(self, choice: Choice, chooser: Chooser) -> Iterator[tuple[str, bytes]]:
        """Yield the files of a module's copies, and of its libraries', each once."""
        for row in choice.rows:
            yield self.place(choice.name, row.source), self.read(choice.name, row.source)
            for library, source in row.libraries:
                if source != self.inputs.baseline.label:
                    self.check_soname(library)
                    yield self.library(library, source), self.read(library, source)

    def check_soname(self, library: str) -> None:
        """Refuse a library that the loader would not recognise as the one that a module links."""
        code = self.contents[-1].codes[library]
        for each in self.contents:
            own = each.codes[library].elf.soname
            if own is None or own != code.elf.soname:
                raise BundleError(
                    f"{library} differs between the levels and has no SONAME, by which a copy "
                    "could stand in for it",
                    hint="link it with -Wl,-soname",
                )

    def read(self, name: str, label: str) -> bytes:
        """Return a file of the wheel for `label`; only the baseline's has debug information."""
        source: Input = next(each for each in self.inputs.all if each.label == label)
        own = next(each for each in self.contents if each.label == label).files[name]
        data = bytes(read_machine_code(source.wheel, source.wheel.member(own)))
        return data if label == self.inputs.baseline.label else drop_debug(data)

    def render(self, choice: Choice, chooser: Chooser, compiler: StubCompiler) -> bytes:
        """Return the file in the module's place."""
        if self.chosen.method == "loader":
            return self.codeless(choice, chooser)
        inits = {name for each in self.contents for name in each.codes[choice.name].inits}
        demands = {each.label: each.demand for each in self.inputs.all}
        return compiler.compile(
            Stub(
                module=choice.name,
                arch=self.inputs.arch,
                inits=tuple(sorted(inits)),
                chooser=chooser,
                demands=tuple(demands[row.label] for row in choice.rows),
                is_musl=is_musl(self.contents[-1]),
            )
        )

    def codeless(self, choice: Choice, chooser: Chooser) -> bytes:
        """Return the ELF file that makes the loader choose.

        It requires what the module requires, in the same order, and the libraries of the wheel
        behind that: a copy below glibc-hwcaps would not find them from its own directory.
        """
        base = self.contents[-1]
        links, elf = Links.of(base), base.codes[choice.name].elf
        directory = posixpath.dirname(choice.name)
        inside = links.closure(choice.name)
        needed = [posixpath.basename(chooser.copies[-1].file), *elf.needed]
        needed += [base.codes[each].elf.soname or posixpath.basename(each) for each in inside]
        places = [_origin(posixpath.dirname(each), directory) for each in inside]
        run_paths = dict.fromkeys(("$ORIGIN", *elf.run_paths, *places))
        return render_codeless(
            self.inputs.arch,
            needed=tuple(dict.fromkeys(needed)),
            run_paths=tuple(run_paths),
            table=str(chooser).encode(),
        )


def _relative(name: str, directory: str) -> str:
    return posixpath.relpath(name, directory or ".")


def _origin(target: str, directory: str) -> str:
    between = posixpath.relpath(target or ".", directory or ".")
    return "$ORIGIN" if between == "." else f"$ORIGIN/{between}"
