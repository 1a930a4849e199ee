"""What a backend changes in the process is put back, and what it raises is forwarded."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import warnings
from collections.abc import Callable
from pathlib import Path

import pytest

import variantbuild
from reporters import RecordingReporter
from variantbuild.config.delegatespec import DelegateSpec
from variantbuild.delegate.backend import Delegate, load_delegate
from variantbuild.delegate.returned import returned_path
from variantbuild.errors import DelegateError, UnavailableDelegateError, UnsupportedOperation

pytestmark = pytest.mark.skipif(os.name != "posix", reason="POSIX signals and permissions")


class Backend:
    """A backend whose build_wheel does one thing."""

    class UnsupportedOperation(Exception):  # noqa: N818 - the name that PEP 517 gives it
        """As PEP 517 has it."""

    def __init__(self, action: Callable[[], object]) -> None:
        self.build_wheel = action


def delegate_of(action: Callable[[], object]) -> Delegate:
    spec = DelegateSpec(backend="own", path=(), origin="test")
    return Delegate(spec, Backend(action), env=os.environ, reporter=RecordingReporter())


def _set_argv() -> None:
    sys.argv = ["setup.py"]


def _set_path() -> None:
    sys.path = ["/x"]


def _close_streams() -> None:
    sys.stdout = sys.stderr = None


def _turn_signals() -> None:
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGCHLD):
        signal.signal(number, signal.SIG_IGN)


def _fail() -> None:
    os.chdir("/")
    os.environ["VB_LEFT"] = "1"
    sys.argv.append("x")
    raise RuntimeError("own words")


_CHANGES: dict[str, Callable[[], object]] = {
    "directory": lambda: os.chdir("/"),
    "new variable": lambda: os.environ.update(VB_LEFT="1"),
    "changed variable": lambda: os.environ.update(VB_KEPT="changed", CFLAGS="-O0"),
    "removed variable": lambda: os.environ.pop("VB_KEPT"),
    "all variables": os.environ.clear,
    "argv": _set_argv,
    "argv in place": lambda: sys.argv.extend(["--user"]),
    "path": _set_path,
    "path in place": lambda: sys.path.insert(0, "/x"),
    "streams": _close_streams,
    "umask": lambda: os.umask(0),
    "signals": _turn_signals,
    "warnings": lambda: warnings.simplefilter("ignore"),
    "no warnings": warnings.resetwarnings,
    "everything": _fail,
}


def _state() -> tuple[object, ...]:
    umask = os.umask(0)
    os.umask(umask)
    handlers = [signal.getsignal(each) for each in sorted(signal.valid_signals())]
    return (
        str(Path.cwd()), dict(os.environ), sys.argv, [*sys.argv], sys.path, [*sys.path],
        sys.stdout, sys.stderr, umask, handlers, [*warnings.filters],
    )  # fmt: skip


@pytest.mark.parametrize("change", _CHANGES)
def test_the_process_is_restored(
    change: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("VB_KEPT", "kept")
    monkeypatch.setattr(sys, "argv", ["hook"])
    before = _state()
    delegate = delegate_of(_CHANGES[change])
    if change == "everything":
        with pytest.raises(RuntimeError, match="own words"):
            delegate.call("build_wheel", env={"CFLAGS": "-O2"})
    else:
        delegate.call("build_wheel", env={"CFLAGS": "-O2"})
    assert _state() == before
    assert before[4] is sys.path


def test_a_directory_that_the_backend_removed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "tree").mkdir()
    monkeypatch.chdir(tmp_path / "tree")

    def remove() -> None:
        os.chdir(tmp_path)
        (tmp_path / "tree").rmdir()

    delegate_of(remove).call("build_wheel")


@pytest.mark.parametrize("code", [1, 7, "some text", 255, -1])
def test_exit_codes_and_texts_are_kept(code: int | str) -> None:
    delegate = delegate_of(lambda: sys.exit(code))
    with pytest.raises(SystemExit) as stop:
        delegate.call("build_wheel")
    assert stop.value.code == code
    assert isinstance(delegate.reporter, RecordingReporter)
    assert delegate.reporter.notes == ["delegate 'own' stopped in build_wheel"]


@pytest.mark.parametrize("code", [0, None, "", False])
def test_an_exit_without_failure_is_one(code: int | str | None) -> None:
    with pytest.raises(DelegateError, match="it exited with status 0"):
        delegate_of(lambda: sys.exit(code)).call("build_wheel")


def test_unsupported_operations_are_forwarded() -> None:
    def refuse() -> None:
        raise Backend.UnsupportedOperation("no sdist from an sdist")

    with pytest.raises(UnsupportedOperation, match="no sdist from an sdist") as caught:
        delegate_of(refuse).call("build_wheel")
    assert caught.type is variantbuild.UnsupportedOperation
    assert isinstance(caught.value.__cause__, Backend.UnsupportedOperation)


@pytest.fixture
def output(tmp_path: Path) -> Path:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "a-1.0-py3-none-any.whl").write_bytes(b"PK")
    return tmp_path / "out"


_NAME = "a-1.0-py3-none-any.whl"


@pytest.mark.parametrize("place", ["outside", "inside", "dangling", "hard"])
def test_links_are_refused(output: Path, place: str) -> None:
    target = {
        "outside": output.parent / "theirs.whl",
        "hard": output.parent / "theirs.whl",
        "inside": output / "b-1.0-py3-none-any.whl",
        "dangling": output.parent / "none.whl",
    }[place]
    if place != "dangling":
        target.write_bytes(b"theirs")
    (output / _NAME).unlink()
    if place == "hard":
        os.link(target, output / _NAME)
    else:
        (output / _NAME).symlink_to(target)
    with pytest.raises(DelegateError, match="symbolic link to|not a file of its own"):
        returned_path(_NAME, output, delegate_of(list), "build_wheel")
    assert place == "dangling" or target.read_bytes() == b"theirs"


@pytest.mark.parametrize("name", [None, "", 3, "../a.whl", ".", "b-1.0-py3-none-any.whl", b"a"])
def test_what_is_no_name_is_refused(output: Path, name: object) -> None:
    with pytest.raises(DelegateError, match="but there is no such file|not a file"):
        returned_path(name, output, delegate_of(list), "build_wheel")


def test_a_directory_in_place_of_a_wheel(output: Path) -> None:
    (output / "c-1.0-py3-none-any.whl").mkdir()
    with pytest.raises(DelegateError, match="not a file of its own"):
        returned_path("c-1.0-py3-none-any.whl", output, delegate_of(list), "build_wheel")


def test_a_second_wheel_is_reported(output: Path) -> None:
    (output / "other-1.0-py3-none-any.whl").write_bytes(b"PK")
    delegate = delegate_of(list)
    returned_path(_NAME, output, delegate, "build_wheel")
    assert isinstance(delegate.reporter, RecordingReporter)
    assert delegate.reporter.warnings == [
        f"delegate 'own' wrote other-1.0-py3-none-any.whl besides {_NAME}, which it returned: only "
        "that one is published"
    ]


@pytest.mark.parametrize("mode", [0o444, 0o400, 0o000, 0o644])
def test_a_read_only_wheel_can_be_rewritten(output: Path, mode: int) -> None:
    (output / _NAME).chmod(mode)
    path = returned_path(_NAME, output, delegate_of(list), "build_wheel")
    assert path.stat().st_mode & 0o777 == mode | 0o600


def test_a_missing_backend_has_a_class_of_its_own() -> None:
    spec = DelegateSpec(backend="not_there_at_all", path=(), origin="test")
    with pytest.raises(UnavailableDelegateError, match="is not installed"):
        load_delegate(spec, env=os.environ, reporter=RecordingReporter())


@pytest.mark.parametrize(
    ("entries", "dropped"),
    [
        (".:/usr/bin", "entry '.', which is not"),
        ("/usr/bin:", "entry '', which is not"),
        (":/usr/bin", "entry '', which is not"),
        ("tools:/usr/bin", "entry 'tools', which is not"),
        ("./venv/bin:../x:/usr/bin", "entries './venv/bin', '../x', which are not"),
        ("~/bin:/usr/bin", "entry '~/bin', which is not"),
    ],
)
def test_the_backend_searches_only_absolute_directories(
    entries: str, dropped: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With `PATH=.:…` it would run the `gcc` of the source tree, and /usr/bin/gcc was probed."""
    monkeypatch.setenv("PATH", entries)
    seen: list[str] = []
    delegate = delegate_of(lambda: seen.append(os.environ["PATH"]))
    delegate.call("build_wheel")
    assert seen == ["/usr/bin"]
    assert os.environ["PATH"] == entries
    assert isinstance(delegate.reporter, RecordingReporter)
    (warning,) = delegate.reporter.warnings
    assert f"PATH has the {dropped} absolute" in warning


@pytest.mark.skipif(os.name != "posix", reason="Windows always searches the current directory")
@pytest.mark.parametrize("entries", ["", ".", ":", "tools:./bin"])
def test_without_an_absolute_directory_the_systems_are_searched(
    entries: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With an empty PATH shells and `subprocess` look in the current directory."""
    monkeypatch.chdir(tmp_path)
    tool = tmp_path / "variantbuild-tool"
    tool.write_text("#!/bin/sh\n", encoding="utf-8")
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", entries)
    found: list[int] = []

    def build() -> None:
        found.extend(
            subprocess.run(["/bin/sh", "-c", f"command -v {name}"], check=False).returncode
            for name in (tool.name, "ls")
        )

    delegate_of(build).call("build_wheel")
    assert found[0] != 0
    assert found[1] == 0


@pytest.mark.skipif(os.name != "posix" or os.geteuid() != 0, reason="about root")
@pytest.mark.parametrize(("mode", "told"), [(0o777, True), (0o1777, True), (0o755, False)])
def test_root_is_told_of_directories_that_all_can_write(
    mode: int,
    told: bool,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin").chmod(mode)
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:/nonexistent:/usr/bin")
    delegate = delegate_of(list)
    delegate.call("build_wheel")
    assert isinstance(delegate.reporter, RecordingReporter)
    assert [str(tmp_path / "bin") in each for each in delegate.reporter.warnings] == [True] * told
