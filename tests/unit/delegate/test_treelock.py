"""One build at a time in a source tree."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from contextlib import AbstractContextManager
from itertools import pairwise
from pathlib import Path

import pytest

from reporters import RecordingReporter
from variantbuild.delegate.treelock import Patience, find_holders, take_turn
from variantbuild.errors import DelegateError

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows locks no directories")

BACKEND = Path(__file__).resolve().parents[3] / "backend"
#: Takes its turn, records when it had it, and keeps it for a while.
CODE = """
import os, sys, time
from pathlib import Path
from variantbuild.delegate.treelock import take_turn
from variantbuild.messages import StderrReporter
with take_turn(Path(sys.argv[1]), os.environ, StderrReporter({})):
    start = time.monotonic()
    print(start, flush=True)
    time.sleep(float(sys.argv[2]))
    print(time.monotonic())
"""


def start(tree: Path, seconds: float) -> subprocess.Popen[str]:
    env = {**os.environ, "PYTHONPATH": str(BACKEND)}
    command = [sys.executable, "-c", CODE, str(tree), str(seconds)]
    return subprocess.Popen(
        command, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def hold(tree: Path) -> AbstractContextManager[None]:
    return take_turn(tree, os.environ, RecordingReporter())


def test_builds_in_one_tree_follow_each_other(tmp_path: Path) -> None:
    # The environment of this build is a value here: the others do not inherit its lock.
    with take_turn(tmp_path, {}, RecordingReporter()):
        builds = [start(tmp_path, 0.05) for _ in range(3)]
        for build in builds:
            assert build.stderr is not None
            assert f"another build is running in {tmp_path}" in build.stderr.readline()
    spans = sorted(tuple(map(float, build.communicate(timeout=60)[0].split())) for build in builds)
    assert len(spans) == 3
    for (_, end), (begin, _) in pairwise(spans):
        assert begin >= end
    assert list(tmp_path.iterdir()) == []


def test_a_killed_build_keeps_nobody_waiting(tmp_path: Path) -> None:
    first = start(tmp_path, 600)
    assert first.stdout is not None
    assert first.stdout.readline()  # it has its turn
    first.kill()
    first.communicate()
    out, err = start(tmp_path, 0).communicate(timeout=60)
    assert out
    assert "another build" not in err


def test_what_a_build_starts_in_its_own_tree_does_not_wait(tmp_path: Path) -> None:
    with hold(tmp_path):
        with hold(tmp_path):
            out, err = start(tmp_path, 0).communicate(timeout=60)
        assert out
        assert "another build" not in err
    assert "_VARIANTBUILD_TREES" not in os.environ


def test_a_build_that_comes_back_to_its_tree_by_another_does_not_wait(tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    with hold(tmp_path), hold(tmp_path / "other"):
        out, err = start(tmp_path, 0).communicate(timeout=60)
    assert out
    assert "another build" not in err


def test_other_trees_and_missing_ones(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    with hold(tmp_path / "a"), hold(tmp_path / "b"), hold(tmp_path / "gone"):
        pass


def test_the_note_names_who_holds_the_lock(tmp_path: Path) -> None:
    with take_turn(tmp_path, {}, RecordingReporter()):
        build = start(tmp_path, 0)
        assert build.stderr is not None
        line = build.stderr.readline()
    build.communicate(timeout=60)
    assert f"process {os.getpid()} of " in line
    assert "pytest" in line


def test_the_wait_has_a_limit(tmp_path: Path) -> None:
    first = start(tmp_path, 600)
    assert first.stdout is not None
    assert first.stdout.readline()
    try:
        with (
            pytest.raises(DelegateError, match=f"by another build.*: process {first.pid} of"),
            take_turn(tmp_path, {}, RecordingReporter(), Patience(limit=0.5)),
        ):
            pass
    finally:
        first.kill()
        first.communicate()


def test_a_holder_that_is_not_visible_stalls_for_a_minute(tmp_path: Path) -> None:
    patience = Patience(unknown=0.5, locks=tmp_path / "none")
    with (
        take_turn(tmp_path, {}, RecordingReporter()),
        pytest.raises(DelegateError, match="not visible from here"),
        take_turn(tmp_path, {}, RecordingReporter(), patience),
    ):
        pass


_AS_NOBODY = """
import fcntl, os, sys
os.setgid(65534)
os.setuid(65534)
fcntl.flock(os.open(sys.argv[1], os.O_RDONLY), fcntl.LOCK_EX)
print("locked", flush=True)
sys.stdin.read()
"""


@pytest.mark.skipif(os.name != "posix" or os.geteuid() != 0, reason="only root can be another user")
def test_another_user_cannot_stall_a_build() -> None:
    with tempfile.TemporaryDirectory() as tree:
        Path(tree).chmod(0o755)
        command = [sys.executable, "-c", _AS_NOBODY, tree]
        with subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        ) as other:
            assert other.stdout is not None
            assert other.stdout.readline() == "locked\n"
            reporter = RecordingReporter()
            with take_turn(Path(tree), {}, reporter):
                said = " ".join(reporter.warnings)
            other.communicate("")
    assert f"is locked by process {other.pid} of " in said
    assert "the lock is ignored" in said


def test_lines_of_proc_locks(tmp_path: Path) -> None:
    locks = tmp_path / "locks"
    me = os.getpid()
    locks.write_text(
        f"1: POSIX  ADVISORY  WRITE {me} 00:2f:7 0 EOF\n"
        f"2: FLOCK  ADVISORY  WRITE {me} 00:2f:77 0 EOF\n"
        f"2: -> FLOCK  ADVISORY  WRITE 1 00:2f:7 0 EOF\n"
        "3: FLOCK  ADVISORY  WRITE -1 00:2f:7 0 EOF\n"
        "4: FLOCK\n\n"
        f"5: FLOCK  ADVISORY  WRITE {me} 00:30:7 0 EOF\n",
        encoding="ascii",
    )
    assert [each.pid for each in find_holders(7, locks)] == [me]
