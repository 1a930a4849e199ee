"""The table in a file that chooses among copies of a module: which copies, for which CPU.

A bundle is a wheel with several copies of its modules. The file in a module's place, which loads
one of them, has this table in a section of its own.
"""

from __future__ import annotations

from typing import Literal, get_args

from variantbuild.binary.elf import Data, Elf
from variantbuild.binary.elf.tables import slice_of
from variantbuild.values import dataclass

#: The section that contains the table.
SECTION = ".variantbuild"

Method = Literal["loader", "stub"]
METHODS: tuple[Method, ...] = get_args(Method)

_TITLE = "variantbuild bundle 1"
#: More than any table has, in bytes.
_LIMIT = 1 << 20


@dataclass(frozen=True, kw_only=True, slots=True)
class Copy:
    """One copy: its CPU as a label (`v3`), its file, and the libraries that go with it.

    Paths are relative to the directory of the chooser, with `/`.
    """

    label: str
    file: str
    libraries: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Chooser:
    """How a copy is chosen, and the copies: the most demanding first, the baseline last.

    With `loader` glibc chooses (glibc-hwcaps), with `stub` code in the file itself.
    """

    method: Method
    copies: tuple[Copy, ...]

    def __str__(self) -> str:
        rows = ("\t".join((each.label, each.file, *each.libraries)) for each in self.copies)
        return "\n".join((f"{_TITLE} {self.method}", *rows, ""))

    @classmethod
    def parse(cls, text: str) -> Chooser:
        """Parse a table; raises ValueError for other text."""
        title, *rows = text.split("\n")
        method = next((each for each in METHODS if title == f"{_TITLE} {each}"), None)
        if method is None or rows[-1:] != [""]:
            raise ValueError(f"not a table of copies: {title[:80]!r}")
        copies = []
        for row in rows[:-1]:
            label, tab, rest = row.partition("\t")
            file, *libraries = rest.split("\t")
            if not (label and tab and file):
                raise ValueError(f"not a row of a table of copies: {row[:80]!r}")
            copies.append(Copy(label=label, file=file, libraries=tuple(libraries)))
        if not copies:
            raise ValueError("a table without copies")
        return cls(method=method, copies=tuple(copies))


def read_chooser(elf: Elf, data: Data) -> Chooser | None:
    """Return the table in an ELF file; None without a readable one."""
    section = elf.section(SECTION)
    if section is None or section.size > _LIMIT:
        return None
    raw = slice_of(data, section.offset, section.size, SECTION)
    try:
        return Chooser.parse(raw.rstrip(b"\0").decode("utf-8"))
    except ValueError:
        return None
