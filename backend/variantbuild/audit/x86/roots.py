"""Where execution of a file begins: what the loader, the interpreter or other files may call."""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass

from variantbuild.audit.x86.program import Program

_IDENTIFIER = re.compile(rb"[A-Za-z_][A-Za-z0-9_]{0,120}\0")
_METHOD_FLAGS = 0x3FF


@dataclass(frozen=True, slots=True)
class Root:
    """A way in: who calls, and whether it is sure to be called, or can be by anyone."""

    kind: str
    certain: bool


#: For functions to which nothing leads: their addresses may be computed.
_COMPUTED = Root("a computed address", certain=False)


class Roots:
    """The roots of one file by the start of the function."""

    def __init__(self, program: Program) -> None:
        self._program = program
        self._known: dict[int, list[Root]] = {}
        image = program.image
        for address, kind in image.initializers():
            self._add(address, Root(kind, certain=True))
        if image.entry():
            # Old linkers set it in libraries too, where nothing enters.
            runs = image.elf.kind == "executable"
            self._add(image.entry(), Root("entry point", certain=runs))
        for address in image.resolvers.values():
            self._add(address, Root("IFUNC resolver", certain=True))
        for symbol in image.symbols:
            if symbol.address and symbol.ifunc:
                self._add(symbol.address, Root(f"IFUNC resolver {symbol.name}", certain=True))
            elif symbol.address and symbol.exported and image.is_code(symbol.address):
                imported = symbol.name.startswith("PyInit_")
                kind = symbol.name if imported else f"export {symbol.name}"
                self._add(symbol.address, Root(kind, certain=imported))

    def of(self, start: int) -> Iterator[Root]:
        """Yield the roots by which the function at `start` is called."""
        yield from self._known.get(start, ())
        if start not in self._known and not self._program.is_referred(start):
            yield _COMPUTED
        arrays = {address for address, _ in self._program.image.initializers()}
        for place, address in self._program.pointers(start):
            if place in self._program.image.names and address in self._known:
                continue
            method = self._method(place)
            if method is not None:
                yield Root(f"method {method}", certain=True)
            elif address not in arrays:
                yield Root(f"pointer in the data at {place:#x}", certain=False)

    def _add(self, address: int, root: Root) -> None:
        self._known.setdefault(self._program.function(address), []).append(root)

    def _method(self, place: int) -> str | None:
        """Return the name of the PyMethodDef whose function is at `place`; None for other data.

        Source: CPython's methodobject.h: name, function, flags, documentation.
        """
        image = self._program.image
        name_at = image.pointers.get(place - 8)
        raw = image.read(place + 8, 16)
        if name_at is None or len(raw) < 16 or image.is_code(name_at):
            return None
        flags, documentation = struct.unpack("<QQ", raw)
        text = _IDENTIFIER.match(image.read(name_at, 128))
        documented = image.pointers.get(place + 16, documentation)
        if text is None or not 0 < flags <= _METHOD_FLAGS or image.is_code(documented):
            return None
        return text[0][:-1].decode("ascii")
