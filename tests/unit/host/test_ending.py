"""Signals and limits leave no file, no directory and no process."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from variantbuild.host.ending import (
    VARIABLE,
    clean_ending,
    kill_marked,
    mark_run,
    watch_processes,
)
from variantbuild.host.processes import run_bounded

pytestmark = pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="no /proc")

_BACKEND = Path(__file__).resolve().parents[3] / "backend"
#: A tool with a child of its session, one that has left it, and one that has lost its parent.
_TOOL = """
import os, subprocess, sys, time
sleep = [sys.executable, "-c", "import time; time.sleep(600)"]
subprocess.Popen(sleep)
subprocess.Popen(sleep, start_new_session=True)
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        os.execv(sleep[0], sleep)
    os._exit(0)
os.wait()
open(sys.argv[1], "w").close()
time.sleep(600)
"""
_BUILD = """
import os, signal, sys
from pathlib import Path
# The tests may run where they are ignored: in the background of a script, under nohup.
signal.signal(signal.SIGINT, signal.default_int_handler)
signal.signal(signal.SIGHUP, signal.SIG_DFL)
from variantbuild.host.ending import clean_ending, watch_processes
from variantbuild.host.local import LocalHost
from variantbuild.host.staging import output_directory, staging_directory
here, where = Path(sys.argv[1]), sys.argv[2]
with clean_ending(os.environ), output_directory(here / "new" / "out") as out:
    with staging_directory(out) as staging:
        (staging / "large").write_bytes(bytes(1000))
        host = LocalHost(env=dict(os.environ))
        tool = (sys.executable, str(here / "tool.py"), str(here / "ready"))
        if where == "tool":
            host.run_scratch(tool, files={"x.c": ""}, output="x.o", timeout=600)
        else:
            import subprocess
            watch_processes()  # as Delegate.call does
            subprocess.check_call(tool)
"""


def marked(mark: str) -> list[int]:
    """Return the processes that have `mark` in their environment."""
    found = []
    for path in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if mark.encode() in (path / "environ").read_bytes():
                found.append(int(path.name))
    return found


def wait_for(condition: object) -> None:
    assert callable(condition)
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


@pytest.mark.parametrize("where", ["tool", "delegate"])
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_a_signal_leaves_nothing(tmp_path: Path, number: signal.Signals, where: str) -> None:
    (tmp_path / "tool.py").write_text(_TOOL, encoding="utf-8")
    (tmp_path / "tmp").mkdir()
    mark = f"test{os.getpid()}.{time.monotonic_ns()}"
    env = {**os.environ, "PYTHONPATH": str(_BACKEND), "TMPDIR": str(tmp_path / "tmp")}
    env["A_MARK_OF_THE_TEST"] = mark
    build = subprocess.Popen(
        [sys.executable, "-c", _BUILD, str(tmp_path), where], env=env, stderr=subprocess.DEVNULL
    )
    try:
        wait_for((tmp_path / "ready").exists)
        wait_for(lambda: len(marked(mark)) >= 5)
        build.send_signal(number)
        code = build.wait(60)
        wait_for(lambda: not marked(mark))
    finally:
        for pid in marked(mark):
            os.kill(pid, signal.SIGKILL)
        build.wait()
    assert code == -number
    assert list((tmp_path / "tmp").iterdir()) == []
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize("where", ["tool", "delegate"])
def test_sigkill_of_the_build_ends_what_it_started(tmp_path: Path, where: str) -> None:
    """Files stay, as nobody can remove them at once; processes would stay for ever."""
    (tmp_path / "tool.py").write_text(_TOOL, encoding="utf-8")
    (tmp_path / "tmp").mkdir()
    mark = f"test{os.getpid()}.{time.monotonic_ns()}"
    env = {**os.environ, "PYTHONPATH": str(_BACKEND), "TMPDIR": str(tmp_path / "tmp")}
    env["A_MARK_OF_THE_TEST"] = mark
    build = subprocess.Popen([sys.executable, "-c", _BUILD, str(tmp_path), where], env=env)
    try:
        wait_for((tmp_path / "ready").exists)
        wait_for(lambda: len(marked(mark)) >= 5)
        build.kill()
        build.wait(60)
        wait_for(lambda: not marked(mark))
    finally:
        for pid in marked(mark):
            os.kill(pid, signal.SIGKILL)
        build.wait()


def test_a_program_that_is_left_running_on_purpose_goes_on() -> None:
    """Compilers start servers (ccache, sccache, MSVC); only a death kills them."""
    env = dict(os.environ)
    with clean_ending(env):
        watch_processes()
        server = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"], env=env)
    time.sleep(0.3)
    assert server.poll() is None
    server.kill()
    server.wait()


def test_workers_end_with_their_parent() -> None:
    code = """
import os, time
from variantbuild.host.pool import forked_pool
with forked_pool(2) as pool:
    print(*{pool.submit(os.getpid).result() for _ in range(20)}, flush=True)
    os.kill(os.getpid(), 9)
"""
    env = {**os.environ, "PYTHONPATH": str(_BACKEND)}
    done = subprocess.run(
        [sys.executable, "-c", code], env=env, stdout=subprocess.PIPE, check=False, timeout=60
    )
    assert done.returncode == -signal.SIGKILL
    pids = [int(word) for word in done.stdout.split()]
    wait_for(lambda: not any(runs(pid) for pid in pids))


def runs(pid: int) -> bool:
    """Return whether a process runs; one that nobody waits for stays as a zombie."""
    try:
        return Path(f"/proc/{pid}/stat").read_text("utf-8").rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_a_limit_ends_what_has_left_the_group(tmp_path: Path) -> None:
    tool = tmp_path / "tool.py"
    tool.write_text(_TOOL, encoding="utf-8")
    env = {**os.environ, "A_MARK_OF_THE_TEST": (mark := f"limit{time.monotonic_ns()}")}
    argv = (sys.executable, str(tool), str(tmp_path / "ready"))
    done = run_bounded(argv, env=env, cwd=tmp_path, timeout=3)
    assert done.error == "timed out after 3 s"
    wait_for(lambda: not marked(mark))


def test_only_marked_processes_are_killed() -> None:
    env = dict(os.environ)
    mark = mark_run(env)
    inner = dict(env)
    mark_run(inner)  # a build that was started by this one
    command = [sys.executable, "-c", "import time; time.sleep(600)"]
    other = subprocess.Popen(command)
    ours = [subprocess.Popen(command, env=each) for each in (env, inner)]
    kill_marked(mark)
    assert [each.wait(30) for each in ours] == [-signal.SIGTERM] * 2
    assert other.poll() is None
    other.kill()
    other.wait()


def test_what_does_not_end_when_asked_is_killed(tmp_path: Path) -> None:
    """A compiler that is asked removes its temporary files."""
    env = dict(os.environ)
    mark = mark_run(env)
    deaf = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
    tidy = (
        "import signal\ndef end(*_):\n    pathlib.Path('tidied').touch()\n    raise SystemExit(7)\n"
        "signal.signal(signal.SIGTERM, end)\n"
    )
    codes = [
        f"import pathlib, time\n{handler}pathlib.Path('{name}').touch()\ntime.sleep(600)"
        for name, handler in (("deaf", deaf), ("tidy", tidy))
    ]
    both = [subprocess.Popen([sys.executable, "-c", c], env=env, cwd=tmp_path) for c in codes]
    wait_for(lambda: (tmp_path / "deaf").exists() and (tmp_path / "tidy").exists())
    kill_marked(mark)
    assert [each.wait(30) for each in both] == [-signal.SIGKILL, 7]
    assert (tmp_path / "tidied").exists()


@pytest.mark.parametrize(
    ("number", "excuse", "code"),
    [
        # What distutils makes of it, and a backend that goes on.
        (signal.SIGINT, "raise SystemExit('interrupted')", 1),
        (signal.SIGINT, "pass", 0),
        (signal.SIGTERM, "raise SystemExit('interrupted')", -signal.SIGTERM),
        (signal.SIGTERM, "pass", -signal.SIGTERM),
        (signal.SIGHUP, "raise ValueError", -signal.SIGHUP),
    ],
)
def test_a_backend_that_hides_the_signal(
    number: signal.Signals, excuse: str, code: int, tmp_path: Path
) -> None:
    build = f"""
import os, signal, subprocess, sys, time
signal.signal(signal.SIGINT, signal.default_int_handler)
signal.signal(signal.SIGHUP, signal.SIG_DFL)
from variantbuild.host.ending import clean_ending
with clean_ending(os.environ):
    subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    try:
        open(sys.argv[1], "w").close()
        time.sleep(600)
    except BaseException:
        {excuse}
"""
    mark = f"hidden{time.monotonic_ns()}"
    env = {**os.environ, "PYTHONPATH": str(_BACKEND), "A_MARK_OF_THE_TEST": mark}
    ready = tmp_path / "ready"
    process = subprocess.Popen(
        [sys.executable, "-c", build, str(ready)], env=env, stderr=subprocess.DEVNULL
    )
    wait_for(ready.exists)
    process.send_signal(number)
    assert process.wait(60) == code
    wait_for(lambda: not marked(mark))


def test_signals_that_are_ignored_or_handled_are_left_alone() -> None:
    before = [signal.getsignal(each) for each in (signal.SIGTERM, signal.SIGHUP)]
    env: dict[str, str] = {}
    try:
        signal.signal(signal.SIGHUP, signal.SIG_IGN)  # nohup
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        with clean_ending(env):
            assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
            assert signal.getsignal(signal.SIGTERM) is not signal.SIG_DFL
            assert env[VARIABLE]
            with clean_ending(env):
                assert len(env[VARIABLE].split()) == 2
        assert env == {}
        assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
    finally:
        for number, handler in zip((signal.SIGTERM, signal.SIGHUP), before, strict=True):
            signal.signal(number, handler)
