"""Functions in processes of their own: output, errors, and what becomes of the others."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from variantbuild.errors import AuditError, VariantBuildError
from variantbuild.host.forked import Task, run_tasks

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")


def task(folder: Path, name: str, run: Callable[[], None]) -> Task:
    return Task(
        name=f"the build for {name}",
        run=run,
        report=folder / f"{name}.error",
        log=folder / f"{name}.log",
    )


def note(folder: Path, name: str) -> None:
    """Say which tasks run at this moment."""
    (folder / f"{name}.running").touch()
    time.sleep(0.1)
    seen = sorted(each.stem for each in folder.glob("*.running"))
    (folder / f"{name}.seen").write_text(" ".join(seen), encoding="utf-8")
    (folder / f"{name}.running").unlink()


@pytest.mark.parametrize("at_once", [1, 2, 3])
def test_as_many_at_a_time_as_allowed(at_once: int, tmp_path: Path) -> None:
    names = ("a", "b", "c", "d")
    ended: list[str] = []
    tasks = [task(tmp_path, name, partial(note, tmp_path, name)) for name in names]
    run_tasks(tasks, at_once, lambda each: ended.append(each.name))
    assert sorted(ended) == [f"the build for {name}" for name in names]
    seen = [len((tmp_path / f"{name}.seen").read_text("utf-8").split()) for name in names]
    assert max(seen) <= at_once
    assert (max(seen) > 1) is (at_once > 1)


def test_output_goes_to_the_log(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    def work() -> None:
        os.write(1, b"from the compiler\n")
        subprocess.run([sys.executable, "-c", "print(input())"], check=False)

    made = task(tmp_path, "v3", work)
    run_tasks([made], 2, lambda _: None)
    text = (tmp_path / "v3.log").read_text("utf-8")
    assert "from the compiler" in text
    assert "EOFError" in text  # standard input is empty
    assert capfd.readouterr() == ("", "")


def refuse() -> None:
    raise AuditError("too much for v3", hint="use less")


def stop() -> None:
    raise SystemExit("no compiler")


def fail() -> None:
    raise ZeroDivisionError("by zero")


def test_errors_keep_their_kind_and_hint(tmp_path: Path) -> None:
    with pytest.raises(AuditError) as caught:
        run_tasks([task(tmp_path, "v3", refuse)], 2, lambda _: None)
    assert caught.value.exit_code == AuditError.exit_code
    assert str(caught.value) == "too much for v3\n  hint: use less"


@pytest.mark.parametrize(
    ("work", "message", "said"),
    [
        (stop, "the build for v3 failed", "no compiler"),
        (fail, "the build for v3 failed", "ZeroDivisionError: by zero"),
        (os.abort, "the build for v3 was killed by signal 6", ""),
    ],
)
def test_other_failures(work: Callable[[], None], message: str, said: str, tmp_path: Path) -> None:
    made = task(tmp_path, "v3", work)
    with pytest.raises(VariantBuildError, match=message):
        run_tasks([made], 1, lambda _: None)
    assert said in (tmp_path / "v3.log").read_text("utf-8")


def test_the_others_end_with_their_programs(tmp_path: Path) -> None:
    pids = tmp_path / "pids"

    def long() -> None:
        words = [sys.executable, "-c", "import time; time.sleep(60)"]
        with subprocess.Popen(words) as process:
            pids.write_text(f"{os.getpid()} {process.pid}", encoding="utf-8")

    def fail_later() -> None:
        while not pids.exists() or " " not in pids.read_text("utf-8"):
            time.sleep(0.01)
        fail()

    tasks = [task(tmp_path, "v1", long), task(tmp_path, "v3", fail_later)]
    tasks.append(task(tmp_path, "v4", (tmp_path / "started").touch))
    with pytest.raises(VariantBuildError, match="the build for v3 failed"):
        run_tasks(tasks, 2, lambda _: None)
    for pid in map(int, pids.read_text("utf-8").split()):
        deadline = time.monotonic() + 10
        while _runs(pid) and time.monotonic() < deadline:
            time.sleep(0.01)
        assert not _runs(pid)
    assert not (tmp_path / "started").exists()


def _runs(pid: int) -> bool:
    try:
        status = Path(f"/proc/{pid}/stat").read_text("utf-8")
    except OSError:
        return False
    return status.rpartition(")")[2].split()[0] != "Z"
