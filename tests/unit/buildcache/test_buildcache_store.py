"""The store: complete entries only, verified before use, of limited size, and private."""

from __future__ import annotations

import json
import os
import resource
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from reporters import RecordingReporter
from schemas import answers_of
from variantbuild.buildcache.libraries import identify_libraries
from variantbuild.buildcache.store import Store, default_store
from variantbuild.cli import main
from variantbuild.errors import WheelError
from variantbuild.host.local import LocalHost

REPO = Path(__file__).resolve().parents[3]

#: For calls whose messages do not matter.
REPORTER = RecordingReporter()


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(directory=tmp_path / "cache", limit=1 << 20)


def test_what_was_stored_is_found(store: Store, wheel: Path) -> None:
    assert store.find("k", REPORTER) is None
    store.store("k", wheel, {"libc.so.6": "x"})
    found = store.find("k", REPORTER)
    assert found is not None
    assert (found.wheel.name, found.wheel.read_bytes()) == (wheel.name, wheel.read_bytes())
    assert found.libraries == {"libc.so.6": "x"}
    assert store.find("other", REPORTER) is None
    assert store.directory.stat().st_mode & 0o777 == 0o700
    # Storing again changes nothing, and leaves nothing.
    store.store("k", wheel, {})
    assert [path.name for path in store.directory.iterdir()] == ["k"]


@pytest.mark.parametrize("damage", ["wheel", "record", "hash", "name", "no wheel", "libraries"])
def test_a_damaged_entry_is_a_miss_and_goes(store: Store, wheel: Path, damage: str) -> None:
    store.store("k", wheel, {})
    kept, record = store.directory / "k" / wheel.name, store.directory / "k" / "entry.json"
    said = json.loads(record.read_text(encoding="utf-8"))
    if damage == "wheel":
        data = bytearray(kept.read_bytes())
        data[len(data) // 2] ^= 1
        kept.write_bytes(data)
    elif damage == "record":
        record.write_text("{", encoding="utf-8")
    elif damage == "no wheel":
        kept.unlink()
    else:
        key = {"hash": "sha256", "name": "name", "libraries": "libraries"}[damage]
        record.write_text(json.dumps({**said, key: "../../etc/passwd"}), encoding="utf-8")
    assert store.find("k", REPORTER) is None
    assert not (store.directory / "k").exists()
    store.store("k", wheel, {})
    assert store.find("k", REPORTER) is not None


def test_an_entry_that_is_not_a_sound_wheel_is_not_used(store: Store, wheel: Path) -> None:
    broken = wheel.with_name(wheel.name)
    broken.write_bytes(b"PK no wheel at all")
    store.store("k", broken, {})
    assert store.find("k", REPORTER) is None


def test_the_least_recently_used_goes_first(store: Store, wheel: Path) -> None:
    size = wheel.stat().st_size + 300
    small = Store(directory=store.directory, limit=int(2.5 * size))
    for number, key in enumerate("abc"):
        small.store(key, wheel, {})
        os.utime(small.directory / key, (1000 + number, 1000 + number))
    assert small.find("b", REPORTER) is not None  # used just now
    small.store("d", wheel, {})
    assert {entry.key for entry in small.entries()} <= {"b", "d"}
    assert small.find("d", REPORTER) is not None


def test_a_directory_that_others_can_write_to_is_not_used(store: Store, wheel: Path) -> None:
    store.store("k", wheel, {})
    store.directory.chmod(0o777)
    with pytest.raises(WheelError, match="other users can write to"):
        store.find("k", REPORTER)
    with pytest.raises(WheelError, match="other users can write to"):
        store.store("l", wheel, {})
    store.directory.chmod(0o700)
    assert store.find("k", REPORTER) is not None


def test_a_full_disk_leaves_no_entry(store: Store, wheel: Path) -> None:
    old = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100, old[1]))
    try:
        with pytest.raises(OSError, match="File too large"):
            store.store("k", wheel, {})
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, old)
        signal.signal(signal.SIGXFSZ, handler)
    assert store.find("k", REPORTER) is None
    assert list(store.directory.iterdir()) == []


def test_where_the_cache_is(monkeypatch: pytest.MonkeyPatch) -> None:
    assert default_store({"XDG_CACHE_HOME": "/x"}, "linux").directory == Path(
        "/x/variantbuild/wheels"
    )
    assert default_store({"HOME": "/h"}, "linux").directory == Path("/h/.cache/variantbuild/wheels")

    def no_home() -> Path:
        raise RuntimeError("no such user")

    monkeypatch.setattr(Path, "home", no_home)
    with pytest.raises(WheelError, match="home directory of this user is not known") as caught:
        default_store({"XDG_CACHE_HOME": "relative"}, "linux")
    assert "XDG_CACHE_HOME" in str(caught.value.hint)


def test_a_file_in_its_place_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    (tmp_path / "variantbuild").write_bytes(b"")
    assert main(["cache", "info"]) == 2
    said = capsys.readouterr().err
    assert f"the build cache {tmp_path}/variantbuild/wheels cannot be read: Not a directory" in said
    assert main(["cache", "clear"]) == 2
    assert "Traceback" not in capsys.readouterr().err


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
def test_an_entry_that_cannot_be_removed_is_an_error(wheel: Path) -> None:
    # Not below pytest's own directory, which other users cannot enter.
    with tempfile.TemporaryDirectory() as outside:
        store = Store(directory=Path(outside, "cache"), limit=1 << 20)
        store.store("k", wheel, {})
        Path(outside).chmod(0o755)
        for path in (store.directory, store.directory / "k"):
            os.chown(path, 65534, 65534)
            path.chmod(0o500)
        code = (
            # As this user the standard library may be out of reach for lazy imports.
            "import os, shutil, tempfile; from pathlib import Path\n"
            "from variantbuild.buildcache.store import Store\n"
            "from variantbuild.errors import VariantBuildError\n"
            "os.setgid(65534); os.setuid(65534)\n"
            f"try: print(Store(directory=Path({str(store.directory)!r}), limit=1).clear())\n"
            "except VariantBuildError as error: print(error)\n"
        )
        env = {**os.environ, "PYTHONPATH": str(REPO / "backend")}
        command = [sys.executable, "-c", code]
        said = subprocess.run(command, env=env, capture_output=True, text=True, check=True).stdout
    assert "1 of 1 wheels in" in said
    assert "cannot be removed" in said
    assert "chmod u+rwx" in said


def test_libraries_are_distinguished(tmp_path: Path) -> None:
    (tmp_path / "libown.so.1").write_bytes(b"1")
    host = LocalHost(env={"LD_LIBRARY_PATH": str(tmp_path)})
    first = identify_libraries(["libown.so.1", "libc.so.6", "libnowhere.so"], host)
    assert first["libnowhere.so"] == ""
    assert str(tmp_path) in first["libown.so.1"]
    assert "libc.so.6" in first["libc.so.6"]
    (tmp_path / "libown.so.1").write_bytes(b"12")
    second = identify_libraries(["libown.so.1", "libc.so.6"], host)
    assert second["libown.so.1"] != first["libown.so.1"]
    assert second["libc.so.6"] == first["libc.so.6"]


def test_the_command(
    wheel: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    assert main(["cache", "info"]) == 0
    assert "0 wheels" in capsys.readouterr().out
    default_store(os.environ).store("k", wheel, {})
    assert main(["cache", "info", "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    answers_of("cache").validate(answer)
    assert [each["wheel"] for each in answer["entries"]] == [wheel.name]
    assert main(["cache", "info"]) == 0
    assert wheel.name in capsys.readouterr().out
    assert main(["cache", "clear", "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    answers_of("cache").validate(answer)
    assert (answer["removed"], answer["entries"], answer["size"]) == (1, [], 0) or answer["removed"]
    assert main(["cache", "clear"]) == 0
    assert "0 wheels removed" in capsys.readouterr().out


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
def test_root_creates_nothing_in_the_home_of_another_user(wheel: Path) -> None:
    with tempfile.TemporaryDirectory() as home:
        os.chown(home, 65534, 65534)
        store = default_store({"HOME": home})
        with pytest.raises(WheelError, match=f"is not created: {home} belongs to"):
            store.store("k", wheel, {})
        assert list(Path(home).iterdir()) == []
