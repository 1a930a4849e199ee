"""A compiled module, damaged at random: the audit always ends with a report or a fault."""

from __future__ import annotations

import random
import shutil
import subprocess
import time
from pathlib import Path

import pytest

from variantbuild.audit import audit_members
from workshop import SOURCES


@pytest.mark.compile
def test_damaged_modules_end_in_a_report(tmp_path: Path) -> None:
    if shutil.which("gcc") is None:
        pytest.skip("no gcc here")
    source, module = SOURCES / "dispatch_avx2.c", tmp_path / "m.so"
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
