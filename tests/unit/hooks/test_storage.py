"""Each write of a hook fails once with each errno: a sentence with path and remedy, or success."""

from __future__ import annotations

import builtins
import errno
import io
import os
import platform
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Protocol, cast

import pytest

import variantbuild
from canned import Tree, enter

pytestmark = [
    pytest.mark.usefixtures("fake_compilers"),
    pytest.mark.skipif(
        sys.platform != "linux" or platform.machine() != "x86_64",
        reason="the plan is for Linux on x86-64",
    ),
]

ERRNOS = ("ENOSPC", "EDQUOT", "EFBIG", "EROFS", "EACCES", "EPERM", "EIO", "EMFILE")
#: What each phase calls with a path: `os` functions, and `open` for writing.
_CALLS = ("mkdir", "open", "rename", "replace", "link", "symlink", "chmod")
_REMEDIES = ("free some space", "quota", "ulimit", "may write to", "check the disk", "permissions")


class Function(Protocol):
    """Any function."""

    def __call__(self, *args: object, **kwargs: object) -> object: ...


class Failing:
    """Lets the nth write fail."""

    def __init__(self, nth: int, name: str, below: Path) -> None:
        self._left = nth
        self._number: int = getattr(errno, name)
        self._below = str(below)
        self.path: str | None = None

    def at(self, path: object) -> None:
        """Fail if this is the nth write of a path of the test."""
        text = os.fsdecode(path) if isinstance(path, (str, bytes, os.PathLike)) else ""
        if not text or not os.path.abspath(text).startswith(self._below):  # noqa: PTH100 - PTH calls os
            return
        self._left -= 1
        if self._left == -1:
            self.path = text
            raise OSError(self._number, os.strerror(self._number), text)


def inject(failing: Failing, monkeypatch: pytest.MonkeyPatch) -> None:
    """Put `failing` in front of each call that writes."""

    def around(real: Function, writes: Function) -> Function:
        def call(*args: object, **kwargs: object) -> object:
            if writes(*args, **kwargs):
                failing.at(args[0])
            return real(*args, **kwargs)

        return call

    for name in _CALLS:
        writes = _opens_for_writing if name == "open" else _always
        monkeypatch.setattr(os, name, around(getattr(os, name), writes))
    opened = around(cast("Function", io.open), _mode_writes)
    monkeypatch.setattr(io, "open", opened)
    monkeypatch.setattr(builtins, "open", opened)


def _always(*_args: object, **_kwargs: object) -> bool:
    return True


def _opens_for_writing(*args: object, **kwargs: object) -> bool:
    flags = cast("int", args[1] if len(args) > 1 else kwargs.get("flags", 0))
    return bool(flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT))


def _mode_writes(*args: object, **kwargs: object) -> bool:
    mode = str(args[1] if len(args) > 1 else kwargs.get("mode", "r"))
    return any(letter in mode for letter in "wax+")


#: Each write fails with one errno; `FAULT_RUNS=1` lets each fail with all of them.
SHIFTS = range(len(ERRNOS) if "FAULT_RUNS" in os.environ else 1)


@pytest.mark.parametrize("shift", SHIFTS)
@pytest.mark.parametrize(
    "hook", ["build_wheel", "prepare_metadata_for_build_wheel", "build_editable", "build_sdist"]
)
def test_each_write_that_fails_is_one_sentence(
    hook: str,
    shift: int,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    tree = Tree(tmp_path / "tree")
    enter(tree, monkeypatch, tmp_path / "home")
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "tmp"))
    function = cast("Function", getattr(variantbuild, hook))
    failures = 0
    for nth in range(200):
        shutil.rmtree(tmp_path / "tmp", ignore_errors=True)
        (tmp_path / "tmp").mkdir()
        output = tmp_path / "made" / f"{nth}"
        failing = Failing(nth, ERRNOS[(nth + shift) % len(ERRNOS)], tmp_path)
        with monkeypatch.context() as patch:
            inject(failing, patch)
            try:
                function(str(output), {"variantbuild.cpu": "v3"})
            except SystemExit as stop:
                check(stop, capfd.readouterr().err, failing)
                failures += 1
            except OSError:
                # The backend's own error stays its own, with the note.
                check(None, capfd.readouterr().err, failing)
                failures += 1
        capfd.readouterr()
        if failing.path is None:
            break
    else:
        pytest.fail("no end of writes")
    assert failures


def check(stop: SystemExit | None, text: str, failing: Failing) -> None:
    assert failing.path is not None, text
    assert stop is None or stop.code == 2, text
    assert "choose a lower" not in text
    assert "Traceback" not in text
    assert any(remedy in text for remedy in _REMEDIES), (failing.path, text)
    assert "/" in text, text
