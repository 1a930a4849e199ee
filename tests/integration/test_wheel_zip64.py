"""Wheels beyond the limits of plain zip: over 4 GiB, over 65,535 members; written by zipfile.

The large members are holes of a sparse file, which take no disk space.
"""

from __future__ import annotations

import hashlib
import io
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from variantbuild.stamp import name_stamp, plan_stamp
from variantbuild.stamp.unstamp import plan_unstamp
from variantbuild.wheel import Edit, NewMember, apply_edit, open_wheel, plan_edit, verify_wheel
from variantbuild.wheel.distinfo.record import hash_of, render_hash
from variantbuild.wheel.rewrite.pieces import render_pieces

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

#: From here on offsets and sizes take the zip64 fields.
BORDER = 0xFFFFFFFF
DIST_INFO = "demo-1.0.dist-info"
TEXTS = {
    f"{DIST_INFO}/METADATA": b"Metadata-Version: 2.1\nName: demo\nVersion: 1.0\n",
    f"{DIST_INFO}/WHEEL": (
        b"Wheel-Version: 1.0\nRoot-Is-Purelib: false\nTag: py3-none-linux_x86_64\n"
    ),
}
ZEROS = bytes(1 << 22)
#: From this many blocks (2 GiB) zipfile uses the zip64 fields.
ZIPFILE_WIDE = 512


class SparseFile(io.FileIO):
    """A file in which `ZEROS` are left out."""

    def write(self, data: ReadableBuffer) -> int:
        if data is ZEROS:
            self.seek(len(ZEROS), io.SEEK_CUR)
            return len(ZEROS)
        return super().write(data)


def write_wheel(
    directory: Path, zeros: tuple[int, ...], files: dict[str, bytes], *, hashed: bool = False
) -> Path:
    """Write a wheel of members of so many blocks of zeros, then `files`, then its dist-info.

    Without `hashed` RECORD has wrong hashes of the large members: computing them takes seconds.
    """
    path = directory / "demo-1.0-py3-none-linux_x86_64.whl"
    rows = []
    with SparseFile(path, "w") as file, zipfile.ZipFile(file, "w") as archive:
        for i, blocks in enumerate(zeros):
            state, wide = hashlib.sha256(), blocks >= ZIPFILE_WIDE
            with archive.open(zipfile.ZipInfo(f"demo/large{i}"), "w", force_zip64=wide) as member:
                for _ in range(blocks):
                    member.write(ZEROS)
                    if hashed:
                        state.update(ZEROS)
            digest = render_hash("sha256", state.digest())
            rows.append(f"demo/large{i},{digest},{blocks * len(ZEROS)}\n")
        for name, data in {**files, **TEXTS}.items():
            archive.writestr(zipfile.ZipInfo(name), data)
            rows.append(f"{name},{hash_of(data)},{len(data)}\n")
        rows.append(f"{DIST_INFO}/RECORD,,\n")
        archive.writestr(zipfile.ZipInfo(f"{DIST_INFO}/RECORD"), "".join(rows))
    return path


def stamp(path: Path, directory: Path) -> Path:
    """Stamp the private wheel at `path` in place."""
    with open_wheel(path) as wheel:
        inventory = verify_wheel(wheel, trust_record=True)
        plan = plan_stamp(inventory, name_stamp(inventory, "set", "v3", "_v3"))
        return apply_edit(wheel, plan, directory, consume=True)


def unstamp(path: Path, directory: Path) -> Path:
    with open_wheel(path) as wheel:
        inventory = verify_wheel(wheel, trust_record=True)
        return apply_edit(wheel, plan_unstamp(inventory), directory, consume=True)


@pytest.mark.parametrize("zeros", [(511, 511, 1), (1024,)], ids=["below", "above"])
def test_members_and_offsets_around_4_gib(tmp_path: Path, zeros: tuple[int, ...]) -> None:
    """The dist-info is below 4 GiB or beyond: offsets of its members are narrow or wide."""
    path = write_wheel(tmp_path, zeros, {})
    with open_wheel(path) as wheel:
        before = [member.name for member in wheel.members]
    stamped = stamp(path, tmp_path)
    with zipfile.ZipFile(stamped) as archive:
        infos = archive.infolist()
        assert [info.file_size // len(ZEROS) for info in infos[: len(zeros)]] == list(zeros)
        assert b"\nVersion: 1.0+v3\n" in archive.read("demo-1.0+v3.dist-info/METADATA")
        wide = [info for info in infos if info.extra]
        assert wide == [info for info in infos if max(info.header_offset, info.file_size) >= BORDER]
        assert len(wide) == (4 if sum(zeros) >= 1024 else 0)
    with open_wheel(unstamp(stamped, tmp_path)) as wheel:
        assert [member.name for member in wheel.members] == before


def test_a_directory_that_moves_over_the_border_and_back(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with open_wheel(write_wheel(tmp_path / "empty", (511, 511, 1), {})) as wheel:
        missing = BORDER - wheel.structure.end.offset
    row = f"demo/filling,{hash_of(b'')},4194200\n"
    filling = b"x" * (missing - 30 - len("demo/filling") - len(row) - 40)
    path = write_wheel(tmp_path, (511, 511, 1), {"demo/filling": filling})
    stamped = stamp(path, tmp_path)
    assert ends_wide(stamped)
    with zipfile.ZipFile(stamped) as archive:
        assert archive.read("demo/filling") == filling
    assert not ends_wide(unstamp(stamped, tmp_path))


def write_info_first(path: Path, filling: int) -> int:
    """Write a wheel with its dist-info in front; return where its last member begins."""
    blocks = (511, 511, 1)
    sizes = {f"demo/large{i}": count * len(ZEROS) for i, count in enumerate(blocks)}
    sizes |= {"demo/filling": filling, "demo/last.py": 0}
    rows = [f"{name},{hash_of(b'')},{size}\n" for name, size in sizes.items()]
    rows += [f"{name},{hash_of(data)},{len(data)}\n" for name, data in TEXTS.items()]
    own = f"{DIST_INFO}/RECORD"
    with SparseFile(path, "w") as file, zipfile.ZipFile(file, "w") as archive:
        for name, text in {**TEXTS, own: f"{''.join(rows)}{own},,\n".encode()}.items():
            archive.writestr(zipfile.ZipInfo(name), text)
        for i, count in enumerate(blocks):
            with archive.open(zipfile.ZipInfo(f"demo/large{i}"), "w") as member:
                for _ in range(count):
                    member.write(ZEROS)
        archive.writestr(zipfile.ZipInfo("demo/filling"), bytes(filling))
        archive.writestr(zipfile.ZipInfo("demo/last.py"), b"")
        return archive.infolist()[-1].header_offset


def test_a_member_that_a_longer_dist_info_moves_over_the_border(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # zipfile would use wide fields from half of that on.
    monkeypatch.setattr(zipfile, "ZIP64_LIMIT", BORDER - 1)
    path = tmp_path / "demo-1.0-py3-none-linux_x86_64.whl"
    guess = 4_000_000
    filling = guess + BORDER - 5 - write_info_first(path, guess)
    assert write_info_first(path, filling) == BORDER - 5
    with open_wheel(path) as wheel:
        assert wheel.structure.is_simple
        inventory = verify_wheel(wheel, trust_record=True)
        plan = plan_stamp(inventory, name_stamp(inventory, "set", "v3", "_v3"))
        directory = b"".join(
            bytes(piece) for piece in render_pieces(wheel, plan) if isinstance(piece, bytearray)
        )
    entry = directory.rindex(b"demo/last.py") - 46
    assert directory[entry : entry + 4] == b"PK\1\2"
    assert int.from_bytes(directory[entry + 42 : entry + 46], "little") == BORDER
    assert b"PK\6\6" in directory


def ends_wide(path: Path) -> bool:
    """Return whether the wheel has a zip64 end record; its directory is near the limit."""
    with open_wheel(path) as wheel:
        verify_wheel(wheel, trust_record=True)
        offset = wheel.structure.end.offset
        wide = b"PK\x06\x06" in wheel.source.read(wheel.source.size - 150, 150)
    assert abs(offset - BORDER) < 500
    assert wide == (offset >= BORDER)
    return wide


def test_more_members_than_65535(tmp_path: Path) -> None:
    """Both ways: the stamp's record of the build makes the count wide, unstamping narrow again."""
    files = {f"demo/{i}": b"" for i in range(0xFFFF - len(TEXTS) - 2)}
    path = write_wheel(tmp_path, (), files)
    with zipfile.ZipFile(path) as archive:
        assert len(archive.infolist()) == 0xFFFE
    record = NewMember(path="sboms/demo.cdx.json", data=b"{}")
    with open_wheel(path) as wheel:
        inventory = verify_wheel(wheel)
        plan = plan_stamp(
            inventory,
            name_stamp(inventory, "set", "v3", "_v3"),
            add=(record, record._replace(path="more")),
        )
        stamped = apply_edit(wheel, plan, tmp_path)
    with open_wheel(stamped) as wheel, zipfile.ZipFile(stamped) as archive:
        assert len(verify_wheel(wheel).members) == len(archive.infolist()) == 0x10000
        assert b"PK\x06\x06" in wheel.source.read(wheel.source.size - 150, 150)
        drop = frozenset(f"demo-1.0+v3.dist-info/{path}" for path in ("more", record.path))
        slim = apply_edit(
            wheel, plan_edit(verify_wheel(wheel), Edit(version="1.0", remove=drop)), tmp_path
        )
    with open_wheel(slim) as wheel:
        assert [member.name for member in verify_wheel(wheel).members] == [
            *files,
            *TEXTS,
            f"{DIST_INFO}/RECORD",
        ]
        assert b"PK\x06\x06" not in wheel.source.read(wheel.source.size - 150, 150)


def test_a_large_member_is_hashed_in_little_memory(tmp_path: Path) -> None:
    path = write_wheel(tmp_path, (300,), {}, hashed=True)
    assert path.stat().st_size > 1_250_000_000
    code = (
        "import sys, resource\n"
        "from variantbuild.wheel import open_wheel, verify_wheel\n"
        "resource.setrlimit(resource.RLIMIT_DATA, (100 << 20, 100 << 20))\n"
        "with open_wheel(sys.argv[1]) as wheel:\n"
        "    print(verify_wheel(wheel).contents_checked)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, path], capture_output=True, text=True, check=True
    )
    assert done.stdout == "True\n"
