"""Writing: atomic, in place and deterministic, whatever fails."""

from __future__ import annotations

import errno
import fcntl
import os
import stat
import tempfile
import time
from pathlib import Path

import pytest

from variantbuild.errors import WheelError
from variantbuild.host.durable import STALE_AGE
from variantbuild.stamp import name_stamp, plan_stamp
from variantbuild.wheel import (
    Edit,
    NewMember,
    Plan,
    Wheel,
    apply_edit,
    open_wheel,
    plan_edit,
    verify_wheel,
)
from variantbuild.wheel.distinfo.record import Chunks
from variantbuild.wheel.rewrite.copying import DIRECT_WRITING, DirectWriting
from wheels.forge import Draft, Write

SBOM = NewMember(path="sboms/variantbuild.cdx.json", data=b'{"bomFormat": "CycloneDX"}')


def plan_of(wheel: Wheel) -> Plan:
    inventory = verify_wheel(wheel)
    stamp = name_stamp(inventory, "hybrid", "v3", "_v3")
    return plan_stamp(inventory, stamp, add=(SBOM,), epoch=1_700_000_000)


def names_in(directory: Path) -> list[str]:
    return [path.name for path in directory.iterdir()]


def stamp(
    path: Path,
    directory: Path,
    *,
    consume: bool = False,
    direct: DirectWriting = DIRECT_WRITING,
) -> Path:
    with open_wheel(path) as wheel:
        return apply_edit(wheel, plan_of(wheel), directory, consume=consume, direct=direct)


@pytest.fixture
def output(tmp_path: Path) -> Path:
    directory = tmp_path / "output"
    directory.mkdir()
    return directory


def test_hybrid_names_one_tag_and_holds_both(write: Write, output: Path) -> None:
    path = stamp(write(Draft()), output)
    assert path.name == "demo-1.0+v3-py3-none-linux_x86_64_v3.whl"
    with open_wheel(path) as wheel:
        inventory = verify_wheel(wheel)
        assert inventory.tags == {"py3-none-linux_x86_64", "py3-none-linux_x86_64_v3"}
        assert inventory.dist_info == "demo-1.0+v3.dist-info"
        names = [member.name for member in inventory.members]
        assert names[-2:] == [f"{inventory.dist_info}/{SBOM.path}", f"{inventory.dist_info}/RECORD"]
        added = wheel.member(names[-2])
        assert wheel.read(added, limit=100) == SBOM.data
        assert added.attributes.external >> 16 == stat.S_IFREG | 0o644
        assert added.stamp == (2023 - 1980 << 9 | 11 << 5 | 14) << 16 | 22 << 11 | 13 << 5 | 10


def test_in_place_and_copied_are_the_same_bytes(write: Write, output: Path) -> None:
    draft = Draft()
    draft.add("demo/big.bin", os.urandom(3 << 20))
    path = write(draft)
    copied = stamp(path, output).read_bytes()
    inode = path.stat().st_ino
    moved = stamp(path, output, consume=True)
    assert moved.stat().st_ino == inode, "the same file, cut and continued"
    assert moved.read_bytes() == copied
    assert not path.exists()
    assert names_in(output) == [moved.name]


def test_a_second_link_is_never_cut_up(write: Write, output: Path, tmp_path: Path) -> None:
    path = write(Draft())
    link = tmp_path / "link.whl"
    os.link(path, link)
    before = link.read_bytes()
    stamp(path, output, consume=True)
    assert link.read_bytes() == before
    assert not path.exists()


@pytest.mark.parametrize("umask", [0o022, 0o077, 0o000])
@pytest.mark.parametrize("zone", ["UTC", "Pacific/Kiritimati"])
def test_same_input_gives_same_bytes(
    write: Write, output: Path, monkeypatch: pytest.MonkeyPatch, umask: int, zone: str
) -> None:
    path = write(Draft())
    first = stamp(path, output).read_bytes()
    monkeypatch.setenv("TZ", zone)
    time.tzset()
    old = os.umask(umask)
    try:
        assert stamp(path, output).read_bytes() == first
    finally:
        os.umask(old)
        monkeypatch.undo()
        time.tzset()


def test_unchanged_edit_keeps_record_by_the_byte(write: Write, output: Path) -> None:
    path = write(Draft())
    with open_wheel(path) as wheel:
        written = apply_edit(wheel, plan_edit(verify_wheel(wheel), Edit()), output)
    with open_wheel(path) as old, open_wheel(written) as new:
        for member in old.members:
            twin = new.member(member.name)
            assert new.read(twin, limit=1 << 20) == old.read(member, limit=1 << 20)


#: Files of any size bypass the page cache.
ALL = DirectWriting(floor=0, buffer=1 << 20)


@pytest.fixture
def direct(output: Path) -> DirectWriting:
    """Let wheels of any size bypass the page cache."""
    if not os.major(output.stat().st_dev):
        pytest.skip("the file system of temporary files has no device of its own")
    return ALL


def large_draft(size: int = 2_500_001) -> Draft:
    """Return a wheel of `size` bytes and more, members of odd sizes and some to be moved."""
    draft = Draft()
    draft.add("demo/big.bin", os.urandom(size))
    draft.add("demo/small.bin", os.urandom(70_003))
    draft.part("demo/core.so").descriptor = 4
    return draft


def test_large_copies_go_around_the_page_cache(
    write: Write, output: Path, direct: DirectWriting, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write(large_draft())
    expected = stamp(path, output, direct=direct._replace(floor=1 << 40)).read_bytes()
    real, sizes = os.write, []

    def watched(descriptor: int, data: bytes) -> int:
        if fcntl.fcntl(descriptor, fcntl.F_GETFL) & os.O_DIRECT:
            sizes.append(len(data))
        return real(descriptor, data)

    monkeypatch.setattr(os, "write", watched)
    assert stamp(path, output, direct=direct).read_bytes() == expected
    assert sizes == [1 << 20, 1 << 20]
    smaller = direct._replace(floor=3_000_000)
    assert stamp(path, output, direct=smaller).read_bytes() == expected
    assert len(sizes) == 2, "a smaller one goes through it"


@pytest.mark.skipif(not Path("/dev/shm").is_dir(), reason="needs a file system in memory")
def test_file_systems_without_a_device_are_left_to_the_system(
    write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write(large_draft())
    monkeypatch.setattr(os, "preadv", lambda *_: pytest.fail("read to be written directly"))
    with tempfile.TemporaryDirectory(dir="/dev/shm") as directory:
        made = stamp(path, Path(directory), direct=ALL)
        with open_wheel(made) as wheel:
            verify_wheel(wheel)


def test_a_disk_that_fails_is_not_asked_again(
    write: Write, output: Path, direct: DirectWriting, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write(large_draft())
    monkeypatch.setattr(os, "write", _Fuse("write", 0, errno.EIO))
    with pytest.raises(WheelError, match="cannot be written: Input/output error"):
        stamp(path, output, direct=direct)
    assert names_in(output) == []


@pytest.mark.parametrize("when", ["asked for", "written to"])
def test_a_file_system_that_cannot_go_around_the_cache(
    write: Write, output: Path, direct: DirectWriting, monkeypatch: pytest.MonkeyPatch, when: str
) -> None:
    path = write(large_draft())
    expected = stamp(path, output, direct=direct).read_bytes()
    set_flags, write_data = fcntl.fcntl, os.write

    def refusing(descriptor: int, command: int, flags: int = 0) -> int:
        if flags & os.O_DIRECT and when == "asked for":
            raise OSError(errno.EINVAL, "no O_DIRECT")
        return set_flags(descriptor, command, flags)

    def strict(descriptor: int, data: bytes) -> int:
        if set_flags(descriptor, fcntl.F_GETFL) & os.O_DIRECT:
            raise OSError(errno.EINVAL, "not now")
        return write_data(descriptor, data)

    monkeypatch.setattr(fcntl, "fcntl", refusing)
    monkeypatch.setattr(os, "write", strict)
    assert stamp(path, output, direct=direct).read_bytes() == expected


def test_direct_calls_that_do_less_than_asked(
    write: Write, output: Path, direct: DirectWriting, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write(large_draft())
    expected = stamp(path, output, direct=direct).read_bytes()
    write_all, read_all = os.write, os.preadv
    monkeypatch.setattr(os, "write", lambda fd, data: write_all(fd, data[:99_999]))
    monkeypatch.setattr(os, "preadv", lambda fd, into, at: read_all(fd, [into[0][:7777]], at))
    assert stamp(path, output, direct=direct).read_bytes() == expected


def test_a_wheel_that_becomes_shorter_while_it_is_copied(
    write: Write, output: Path, direct: DirectWriting, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write(large_draft())
    monkeypatch.setattr(os, "preadv", lambda *_: 0)
    with pytest.raises(WheelError, match="was truncated"):
        stamp(path, output, direct=direct)
    assert names_in(output) == []


_CALLS = (
    "write",
    "copy_file_range",
    "preadv",
    "fsync",
    "ftruncate",
    "lseek",
    "open",
    "pread",
    "fstat",
    "fchmod",
    "rename",
    "replace",
)


@pytest.mark.parametrize("way", ["copy", "tail", "direct"])
@pytest.mark.parametrize(
    "code", [errno.ENOSPC, errno.EIO, errno.EFBIG, errno.EDQUOT, errno.EROFS, errno.EACCES]
)
def test_every_failing_call_leaves_no_broken_wheel(
    write: Write,
    output: Path,
    monkeypatch: pytest.MonkeyPatch,
    request: pytest.FixtureRequest,
    way: str,
    code: int,
) -> None:
    if way == "direct":
        request.getfixturevalue("direct")
    direct = ALL if way == "direct" else DIRECT_WRITING
    consume = way == "tail"
    path = write(large_draft(1_100_001 if way == "direct" else 200_000))
    before = path.read_bytes()
    with open_wheel(path) as wheel:
        plan = plan_of(wheel)
        target = apply_edit(wheel, plan, output, direct=direct)
    with open_wheel(target) as wheel:
        verify_wheel(wheel)
    complete = target.read_bytes()
    failures = 0
    for call in _CALLS:
        for nth in range(50):
            path.write_bytes(before)
            target.write_bytes(b"an older wheel")
            fuse = _Fuse(call, nth, code)
            with open_wheel(path) as wheel, monkeypatch.context() as patch:
                patch.setattr(os, call, fuse)
                try:
                    apply_edit(wheel, plan, output, consume=consume, keep_mode=True, direct=direct)
                except WheelError:
                    failures += 1
                except OSError as error:  # pragma: no cover - the failure to see
                    pytest.fail(f"{call} {nth}: {error!r} came through")
            assert target.read_bytes() in (b"an older wheel", complete)
            assert consume or path.read_bytes() == before
            assert names_in(output) == [target.name], (call, nth)
            if not fuse.blown:
                break
    assert failures > 5


class _Fuse:
    """A system call that fails the nth time."""

    def __init__(self, name: str, nth: int, code: int) -> None:
        self.real = getattr(os, name)
        self.left, self.code, self.blown = nth, code, False

    def __call__(self, *args: object, **kwargs: object) -> object:
        if self.left == 0 and not self.blown:
            self.blown = True
            raise OSError(self.code, os.strerror(self.code))
        self.left -= 1
        return self.real(*args, **kwargs)


@pytest.mark.parametrize("consume", [False, True], ids=["copy", "tail"])
def test_calls_that_do_less_than_asked(
    write: Write, output: Path, monkeypatch: pytest.MonkeyPatch, consume: bool
) -> None:
    draft = Draft()
    draft.add("demo/big.bin", os.urandom(200_000))
    path = write(draft)
    expected = stamp(path, output).read_bytes()
    write_all, pread_all, copy_all = os.write, os.pread, os.copy_file_range
    monkeypatch.setattr(os, "write", lambda fd, data: write_all(fd, data[:999]))
    monkeypatch.setattr(os, "pread", lambda fd, size, at: pread_all(fd, min(size, 4099), at))
    monkeypatch.setattr(
        os,
        "copy_file_range",
        lambda source, target, count, at: copy_all(source, target, min(count, 70_001), at),
    )
    made = stamp(path, output, consume=consume)
    monkeypatch.undo()
    assert made.read_bytes() == expected


def test_rows_with_quotes_can_go(write: Write, output: Path) -> None:
    draft = Draft()
    name = 'de"m,o/data.bin'
    draft.add(name, b"x")
    with open_wheel(write(draft)) as wheel:
        inventory = verify_wheel(wheel, chunks=Chunks(record=1))
        plan = plan_edit(inventory, Edit(remove=frozenset({name})))
        made = apply_edit(wheel, plan, output)
    with open_wheel(made) as wheel:
        verify_wheel(wheel)
        assert name not in wheel


def test_a_directory_of_the_new_name_is_one_sentence(write: Write, output: Path) -> None:
    path = write(Draft())
    with open_wheel(path) as wheel:
        plan = plan_of(wheel)
        (output / str(plan.file_name)).mkdir()
        with pytest.raises(WheelError, match="Is a directory"):
            apply_edit(wheel, plan, output)
    assert names_in(output) == [str(plan.file_name)]


def test_a_file_for_a_directory_is_one_sentence(write: Write) -> None:
    path = write(Draft())
    with pytest.raises(WheelError, match="Not a directory"):
        stamp(path, path)


def test_without_copy_file_range(
    write: Write, output: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    draft = Draft()
    draft.add("demo/big.bin", os.urandom(200_000))
    path = write(draft)
    expected = stamp(path, output).read_bytes()

    def unsupported(*args: object) -> int:
        raise OSError(errno.EXDEV, "other file system")

    monkeypatch.setattr(os, "copy_file_range", unsupported)
    assert stamp(path, output).read_bytes() == expected


def test_missing_directory_is_one_sentence(write: Write, tmp_path: Path) -> None:
    with pytest.raises(WheelError, match="cannot be written: No such file"):
        stamp(write(Draft()), tmp_path / "nowhere")


def test_a_file_changed_while_read_is_refused(write: Write, output: Path) -> None:
    path = write(Draft())
    with open_wheel(path) as wheel:
        plan = plan_of(wheel)
        path.write_bytes(path.read_bytes() + b"x")
        with pytest.raises(WheelError, match="changed by another process"):
            apply_edit(wheel, plan, output)
    assert names_in(output) == []


def test_stale_temporaries_go_and_others_stay(write: Write, output: Path) -> None:
    old, young, foreign = (
        output / name
        for name in (".variantbuild-1-0.tmp", ".variantbuild-2-0.tmp", ".variantbuild-x")
    )
    held = output / ".variantbuild-3-0.tmp"
    for each in (old, young, foreign, held):
        each.write_bytes(b"half a wheel")
        os.utime(each, (0, time.time() - 2 * STALE_AGE))
    os.utime(young)
    link = output / ".variantbuild-4-0.tmp"
    link.symlink_to(held)
    os.utime(link, (0, time.time() - 2 * STALE_AGE), follow_symlinks=False)
    import fcntl

    with held.open("rb") as stream:
        fcntl.flock(stream, fcntl.LOCK_EX)
        path = stamp(write(Draft()), output)
    assert set(names_in(output)) == {young.name, foreign.name, held.name, link.name, path.name}


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")
def test_stale_temporaries_of_others_stay(write: Write, output: Path) -> None:
    theirs = output / ".variantbuild-1-0.tmp"
    theirs.write_bytes(b"half a wheel")
    os.utime(theirs, (0, time.time() - 2 * STALE_AGE))
    os.chown(theirs, 65534, -1)
    path = stamp(write(Draft()), output)
    assert set(names_in(output)) == {theirs.name, path.name}


def test_a_name_that_a_longer_version_makes_too_long_is_refused(write: Write) -> None:
    draft = Draft()
    draft.add_info("/".join(["x" * 203] * 20)[: 4095 - len("demo-1.0.dist-info/")], b"")
    with open_wheel(write(draft)) as wheel:
        inventory = verify_wheel(wheel)
        assert max(map(len, inventory.by_name)) == 4095
        with pytest.raises(WheelError, match="longer than 4095 bytes"):
            plan_edit(inventory, Edit(version="1.0+v3"))


def test_a_member_over_the_limit_is_not_read(write: Write) -> None:
    with open_wheel(write(Draft())) as wheel:
        member = wheel.member("demo/__init__.py")
        assert len(wheel.read(member, limit=member.size)) == member.size
        with pytest.raises(WheelError, match="and the limit is 11"):
            wheel.read(member, limit=member.size - 1)


def test_no_fifo_hangs_the_open(tmp_path: Path) -> None:
    path = tmp_path / "demo-1.0-py3-none-any.whl"
    os.mkfifo(path)
    with pytest.raises(WheelError, match="not a regular file"):
        open_wheel(path)


def test_setuid_and_dos_attributes_are_made_plain(write: Write, output: Path) -> None:
    draft = Draft()
    draft.part("demo/__init__.py").mode(stat.S_IFREG | 0o6755)
    draft.part("demo/core.so").external = 0x21
    with open_wheel(stamp(write(draft), output)) as wheel:
        modes = {member.name: member.attributes.external >> 16 for member in wheel.members}
    assert modes["demo/__init__.py"] == stat.S_IFREG | 0o755
    assert modes["demo/core.so"] == stat.S_IFREG | 0o644


def test_reading_where_the_system_has_no_pread(
    write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write(Draft())
    out = tmp_path / "out"
    out.mkdir()
    monkeypatch.delattr(os, "pread")
    monkeypatch.delattr(os, "copy_file_range", raising=False)
    with open_wheel(path) as wheel:
        inventory = verify_wheel(wheel)
        made = apply_edit(
            wheel, plan_stamp(inventory, name_stamp(inventory, "set", "v3", "_v3")), out
        )
    monkeypatch.undo()
    with open_wheel(made) as wheel:
        verify_wheel(wheel)
