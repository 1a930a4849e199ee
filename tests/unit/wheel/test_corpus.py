"""The corpus: every broken wheel is refused with its reason, every unusual one is accepted."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from variantbuild.stamp.unstamp import plan_unstamp
from variantbuild.wheel import (
    UnsoundWheelError,
    WheelFileName,
    apply_edit,
    open_wheel,
    verify_wheel,
)
from variantbuild.wheel.distinfo.record import CHUNKS, Chunks
from wheels.bad import BadCase, bad_cases
from wheels.forge import Write
from wheels.good import GoodCase, good_cases

Stamped = Callable[[Path, Chunks], Path]
BAD = bad_cases()
GOOD = good_cases()


def test_corpus_is_as_large_as_promised() -> None:
    assert len({case.name for case in BAD}) >= 400
    assert len({case.name for case in GOOD}) >= 150


@pytest.mark.parametrize(
    "chunks", [Chunks(), Chunks(150, 15), Chunks(1, 0)], ids=["all", "some", "each"]
)
@pytest.mark.parametrize("case", BAD, ids=lambda case: case.name)
def test_broken_wheel_is_refused_for_its_reason(
    case: BadCase, write: Write, chunks: Chunks
) -> None:
    """With small chunks, the small files of the corpus take the path of large ones."""
    path = write(case.draft)
    before = path.read_bytes()

    with pytest.raises(UnsoundWheelError) as refused, open_wheel(path) as wheel:
        verify_wheel(wheel, chunks=chunks)

    assert re.search(case.reason, refused.value.reason), refused.value.reason
    assert refused.value.wheel == path.name
    assert refused.value.message.isprintable()
    assert path.read_bytes() == before


#: Reasons that only the contents' hashes show.
_IN_CONTENTS = {"wrong hash", "wrong sha512", "crc wrong in both", "signature with a wrong crc"}
#: Streams that are only recognised when they are unpacked.
_IN_STREAMS = (
    "deflate stream",
    "bytes after the stream",
    "bomb with a wrong size",
)


@pytest.mark.parametrize("case", BAD, ids=lambda case: case.name)
def test_trusting_record_skips_the_contents_only(case: BadCase, write: Write) -> None:
    path = write(case.draft)
    if case.name in _IN_CONTENTS or case.name.startswith(_IN_STREAMS):
        with open_wheel(path) as wheel:
            assert not verify_wheel(wheel, trust_record=True).contents_checked
    else:
        with pytest.raises(UnsoundWheelError), open_wheel(path) as wheel:
            verify_wheel(wheel, trust_record=True)


@pytest.mark.parametrize("chunks", [Chunks(), Chunks(record=1)], ids=["all", "each"])
@pytest.mark.parametrize("case", GOOD, ids=lambda case: case.name)
def test_odd_wheel_is_kept(case: GoodCase, write: Write, stamped: Stamped, chunks: Chunks) -> None:
    path = write(case.draft)
    output = stamped(path, chunks)

    with open_wheel(output) as wheel:
        inventory = verify_wheel(wheel, chunks=chunks)
        assert inventory.version.endswith("v3")
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(output) as new:
        assert new.testzip() is None
        signed = {info.filename for info in old.infolist() if "RECORD." in info.filename}
        kept = [info for info in old.infolist() if info.filename not in signed]
        assert len(kept) == len(new.infolist())
        for before, after in zip(kept, new.infolist(), strict=True):
            assert before.filename.partition("/")[2] == after.filename.partition("/")[2]
            assert before.date_time == after.date_time
            assert before.compress_type == after.compress_type
            assert not after.flag_bits & 8
            mode = after.external_attr >> 16
            assert mode & 0o400, "every file can be read"
            assert not mode & 0o7000, "no setuid, setgid or sticky bit"
            permissions = before.external_attr >> 16 & 0o777
            assert permissions in (0, mode & 0o777)
            name = before.filename.rpartition("/")[2]
            if name not in ("METADATA", "WHEEL", "RECORD"):
                assert old.read(before) == new.read(after)


#: Stamps that `unstamp` cannot undo: no platform to read, or a version in another spelling.
_ONE_WAY = (
    "pure",
    "pure with launchers and GPU code",
    "pure with .NET",
    "version not in normal form",
    "version with a v",
    "version with zeros",
    "version with more zeros",
    "version with fewer zeros",
    "local version with a line",
    "capitals in the version",
    "hybrid",
)


@pytest.mark.parametrize(
    "case", [case for case in GOOD if case.name not in _ONE_WAY], ids=lambda case: case.name
)
def test_unstamp_restores_the_odd_wheel(
    case: GoodCase, write: Write, stamped: Stamped, tmp_path: Path
) -> None:
    path = write(case.draft)
    output = tmp_path / "plain"
    output.mkdir()
    with open_wheel(stamped(path, CHUNKS)) as wheel:
        plain = apply_edit(wheel, plan_unstamp(verify_wheel(wheel)), output)

    assert plain.name == path.name
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(plain) as new:
        names = [name for name in old.namelist() if "RECORD." not in name]
        assert new.namelist() == names
        for name in names:
            if not name.endswith("/RECORD"):
                assert new.read(name) == old.read(name)


@pytest.mark.parametrize("case", [case for case in GOOD if case.note], ids=lambda case: case.name)
def test_lost_signature_is_said(case: GoodCase, write: Write) -> None:
    from variantbuild.wheel import Edit, plan_edit

    with open_wheel(write(case.draft)) as wheel:
        plan = plan_edit(verify_wheel(wheel), Edit())
    assert [note for note in plan.notes if case.note in note]


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        (f"demo-1.0-py3-none-{'linux_x86_64.' * 19}a.whl", "255"),
        ("", "whl"),
        (".whl", "parts"),
        ("demo-1.0\x00-py3-none-any.whl", "version"),
        ("demo-1.0+-py3-none-any.whl", "version"),
        ("-1.0-py3-none-any.whl", "project name"),
        ("demo/x-1.0-py3-none-any.whl", "project name"),
        ("demo-1.0-py3--any.whl", "tag"),
    ],
)
def test_file_name_that_no_file_could_have(name: str, reason: str) -> None:
    with pytest.raises(UnsoundWheelError, match=reason):
        WheelFileName.parse(name)
