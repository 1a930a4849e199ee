"""Damaged modules: the audit always ends with a report."""

from __future__ import annotations

import struct
import time

import pytest

from binaries.elves import elf
from variantbuild.audit import audit_members


@pytest.mark.parametrize("machine", [62, 183])
def test_sections_that_claim_to_be_huge_end_at_the_file(machine: int) -> None:
    data = bytearray(elf(machine=machine, sections={".text": b"\x1f\x20\x03\xd5" * 16}))
    (table,) = struct.unpack_from("<Q", data, 40)
    header = table + 64  # the section behind the empty one
    struct.pack_into("<Q", data, header + 8, 6)  # SHF_ALLOC, SHF_EXECINSTR
    struct.pack_into("<Q", data, header + 32, 1 << 62)
    started = time.process_time()
    report = audit_members([("m.so", bytes(data))], name="damaged")
    assert [each.path for each in report.files] == ["m.so"]
    assert time.process_time() - started < 5
