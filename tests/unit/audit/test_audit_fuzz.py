"""A real module, damaged at random: the audit gives a report or a fault, and ends."""

from __future__ import annotations

import random
import shutil
import struct
import subprocess
import time
from pathlib import Path

import pytest

from binaries.elves import elf
from variantbuild.audit import audit_members

_SOURCE = r"""
#include <immintrin.h>
__attribute__((target("avx2"))) void wide(float *a) { _mm256_storeu_ps(a, _mm256_set1_ps(a[0])); }
void narrow(float *a) { a[0] = 1; }
void pick(float *a) { __builtin_cpu_supports("avx2") ? wide(a) : narrow(a); }
"""


@pytest.mark.compile
def test_damaged_modules_end_in_a_report(tmp_path: Path) -> None:
    if shutil.which("gcc") is None:
        pytest.skip("no gcc here")
    source, module = tmp_path / "m.c", tmp_path / "m.so"
    source.write_text(_SOURCE, encoding="utf-8")
    subprocess.run(["gcc", "-O1", "-shared", "-fPIC", str(source), "-o", str(module)], check=True)
    whole = module.read_bytes()
    chance = random.Random(6)
    started = time.process_time()
    for _ in range(300):
        data = bytearray(whole)
        for _ in range(chance.randint(1, 12)):
            # Headers are hit as often as all the rest.
            at = chance.randrange(chance.choice([64, 1024, len(data)]))
            data[-at if chance.random() < 0.3 else at] = chance.randrange(256)
        report = audit_members([("m.so", bytes(data))], name="damaged")
        assert all(each.path == "m.so" for each in report.files)
    assert time.process_time() - started < 60


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
