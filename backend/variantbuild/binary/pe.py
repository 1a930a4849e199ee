"""The headers of PE files: the machine, and whether the file is a DLL or a .NET assembly.

Source: Microsoft's "PE Format".
"""

from __future__ import annotations

from typing import NamedTuple

from variantbuild.binary.machines import pe_machine

#: How many bytes to search for the header: it follows a DOS stub, normally of 64 to 256 bytes.
HEAD_PE = 1 << 16

_IS_DLL = 0x2000
_COFF_HEADER = 24  # the signature and the COFF header, in bytes
_PE32_PLUS = b"\x0b\x02"
#: Where the data directories begin in the optional header of PE32+ and PE32.
_DIRECTORIES = {True: 112, False: 96}
_CLR_DIRECTORY = 14


class Image(NamedTuple):
    """The headers of a PE file; `machine` is archspec's family name.

    A `managed` image contains .NET bytecode, which runs on any machine.
    """

    machine: str
    dll: bool
    managed: bool


def read_pe(head: bytes) -> Image | None:
    """Read the headers of a PE file that begins with `head`; None if they are not there."""
    if head[:2] != b"MZ" or len(head) < 64:
        return None
    at = int.from_bytes(head[60:64], "little")
    header = head[at : at + _COFF_HEADER]
    if header[:4] != b"PE\0\0" or len(header) < _COFF_HEADER:
        return None
    number = int.from_bytes(header[4:6], "little")
    optional = at + _COFF_HEADER
    directories = optional + _DIRECTORIES[head[optional : optional + 2] == _PE32_PLUS]
    clr = directories + 8 * _CLR_DIRECTORY
    return Image(
        machine=pe_machine(number),
        dll=bool(int.from_bytes(header[22:24], "little") & _IS_DLL),
        managed=any(head[clr : clr + 8]),
    )


def is_header_beyond(head: bytes) -> bool:
    """Return whether the PE header is after `head`, the first `HEAD_PE` bytes of a file."""
    at = int.from_bytes(head[60:64], "little")
    return head[:2] == b"MZ" and at + _COFF_HEADER > len(head) >= HEAD_PE
