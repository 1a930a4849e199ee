"""The cache around one build: what is used, and what happens to an outdated entry."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from reporters import RecordingReporter
from variantbuild.buildcache.libraries import identify_libraries
from variantbuild.buildcache.store import Store
from variantbuild.buildcache.use import CachedBuild
from variantbuild.errors import WheelError
from variantbuild.host.local import LocalHost


@pytest.fixture
def reporter() -> RecordingReporter:
    return RecordingReporter()


@pytest.fixture
def cached(tmp_path: Path, reporter: RecordingReporter) -> CachedBuild:
    host = LocalHost(env={"LD_LIBRARY_PATH": str(tmp_path)})
    store = Store(directory=tmp_path / "cache", limit=1 << 20)
    return CachedBuild(store=store, key="k", host=host, reporter=reporter)


def test_what_is_stored_is_taken(
    cached: CachedBuild, wheel: Path, tmp_path: Path, reporter: RecordingReporter
) -> None:
    target = tmp_path / "out"
    target.mkdir()
    assert cached.take(target) is None
    cached.store.store("k", wheel, {})
    assert cached.take(target) == target / wheel.name
    assert (target / wheel.name).read_bytes() == wheel.read_bytes()
    (note,) = reporter.notes
    assert "taken from the build cache" in note


def test_another_library_makes_room_for_the_new_wheel(
    cached: CachedBuild, wheel: Path, tmp_path: Path
) -> None:
    library = tmp_path / "libown.so.1"
    library.write_bytes(b"1")
    cached.store.store("k", wheel, identify_libraries(["libown.so.1"], cached.host))
    assert cached.find() is not None
    library.write_bytes(b"12")
    assert cached.find() is None
    cached.store.store("k", wheel, identify_libraries(["libown.so.1"], cached.host))
    assert cached.find() is not None


def test_an_entry_that_goes_while_it_is_copied_is_a_miss(
    cached: CachedBuild,
    wheel: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    reporter: RecordingReporter,
) -> None:
    cached.store.store("k", wheel, {})

    def evict_and_copy(file: Path, destination: Path) -> Path:
        cached.store.clear()
        return Path(copy2(str(file), str(destination)))

    copy2 = shutil.copy2
    monkeypatch.setattr("shutil.copy2", evict_and_copy)
    assert cached.take(tmp_path) is None
    assert reporter.notes == []


def test_what_changes_between_check_and_copy_is_not_published(
    cached: CachedBuild,
    wheel: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    reporter: RecordingReporter,
) -> None:
    cached.store.store("k", wheel, {})
    target = tmp_path / "out"
    target.mkdir()

    def change_and_copy(file: Path, destination: Path) -> Path:
        data = bytearray(file.read_bytes())
        data[-1] ^= 1
        file.write_bytes(data)
        return Path(copy2(str(file), str(destination)))

    copy2 = shutil.copy2
    monkeypatch.setattr("shutil.copy2", change_and_copy)
    assert cached.take(target) is None
    assert list(target.iterdir()) == []
    (warning,) = reporter.warnings
    assert "not used, as it changed while it was read" in warning


def test_a_missing_destination_is_an_error(
    cached: CachedBuild, wheel: Path, tmp_path: Path
) -> None:
    cached.store.store("k", wheel, {})
    with pytest.raises(WheelError, match="does not exist"):
        cached.take(tmp_path / "absent")


def test_damage_is_said_once(cached: CachedBuild, wheel: Path, reporter: RecordingReporter) -> None:
    cached.store.store("k", wheel, {})
    (cached.store.directory / "k" / wheel.name).write_bytes(b"x")
    assert cached.find() is None
    assert cached.find() is None
    (warning,) = reporter.warnings
    assert warning.startswith("removed a damaged entry")


def test_a_library_that_the_loader_does_not_find_keeps_the_wheel_out(
    cached: CachedBuild,
    wheel: Path,
    reporter: RecordingReporter,
) -> None:
    names = ("libc.so.6", "libnowhere.so.1")
    replace(cached, linked=lambda _: names).store_wheel(wheel)
    (warning,) = reporter.warnings
    assert "libnowhere.so.1 is not in the directories that the dynamic loader" in warning
    assert cached.store.find("k", reporter) is None
    replace(cached, linked=lambda _: names[:1]).store_wheel(wheel)
    assert cached.store.find("k", reporter) is not None


def test_a_library_of_the_run_path_counts_by_the_file_there(
    cached: CachedBuild, wheel: Path, tmp_path: Path
) -> None:
    directory = tmp_path / "prefix"
    directory.mkdir()
    (directory / "libfar.so.1").write_bytes(b"1")
    named = (f"libfar.so.1:/nowhere:{directory}",)
    replace(cached, linked=lambda _: named).store_wheel(wheel)
    assert cached.find() is not None
    (directory / "libfar.so.1").write_bytes(b"12")
    assert cached.find() is None


def test_a_run_path_beside_the_installed_wheel_keeps_it_out(
    cached: CachedBuild,
    wheel: Path,
    reporter: RecordingReporter,
) -> None:
    named = ("libc.so.6:$ORIGIN/../other.libs",)
    replace(cached, linked=lambda _: named).store_wheel(wheel)
    (warning,) = reporter.warnings
    assert "libc.so.6 is searched for in $ORIGIN/../other.libs, relative to" in warning
    assert cached.find() is None
