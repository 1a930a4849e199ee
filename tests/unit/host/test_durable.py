"""Failures of the storage name the path and the remedy."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from variantbuild.host.durable import is_storage_failure, write_error
from variantbuild.host.local import LocalHost


@pytest.mark.parametrize(
    ("number", "remedy"),
    [
        (errno.ENOSPC, "free some space or inodes"),
        (errno.EDQUOT, "within your quota"),
        (errno.EACCES, "that you may write to"),
        (errno.EPERM, "that you may write to"),
        (errno.EROFS, "that you may write to"),
        (errno.EFBIG, "ulimit -f"),
        (errno.EMFILE, "ulimit -n"),
        (errno.ENAMETOOLONG, "a shorter path"),
        (errno.EIO, "check the disk"),
    ],
)
def test_the_remedy_of_a_failed_write(number: int, remedy: str) -> None:
    error = write_error(Path("/out/x.whl"), OSError(number, os.strerror(number)))
    assert error.message == f"'/out/x.whl' cannot be written: {os.strerror(number)}"
    assert remedy in str(error.hint)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("fatal error: error writing to /tmp/cc1.s: No space left on device", True),
        ("Cannot create temporary file in /tmp/: Permission denied", True),
        ("/usr/bin/ld: final link failed: Disk quota exceeded", True),
        ("as: x.o: Read-only file system", True),
        ("exit status -25, without any output", True),
        ("cc1: error: bad value 'zen9' for '-march=' switch", False),
        ("unrecognized command-line option '-mfoo'", False),
    ],
)
def test_what_a_program_says(text: str, expected: bool) -> None:
    assert is_storage_failure(text) is expected


def test_a_temporary_directory_that_cannot_be_used_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "gone"))
    done = LocalHost(env={}).run_scratch(("/bin/true",), files={}, output="x").done
    assert done.error is not None
    assert f"{tmp_path / 'gone'}" in done.error
    assert is_storage_failure(done.error)
