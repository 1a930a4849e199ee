"""External programs: found on PATH, limited in time and output, killed with their children."""

from __future__ import annotations

import _thread
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import ParamSpec, TypeVar

import pytest

from variantbuild.host import Completed
from variantbuild.host.processes import LINGER, OUTPUT_LIMIT, find_program, run_bounded

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="uses /bin/sh")


P = ParamSpec("P")
T = TypeVar("T")


def run(script: str, *, timeout: float = 20.0, env: Mapping[str, str] = os.environ) -> Completed:
    return run_bounded(("/bin/sh", "-c", script), env=env, cwd=None, timeout=timeout)


def alive(pid: int) -> bool:
    """Return whether a process still runs; a zombie does not."""
    try:
        os.kill(pid, 0)
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (ProcessLookupError, FileNotFoundError):
        return False
    return state != "Z"


def wait_for_end(pid: int) -> bool:
    deadline = time.monotonic() + 5
    while alive(pid) and time.monotonic() < deadline:
        time.sleep(0.01)
    return not alive(pid)


def wait_for(note: Path) -> None:
    """Wait until something is written to `note`."""
    while not note.exists() or not note.read_text().strip():
        time.sleep(0.01)


def slowed(start: Callable[P, T], note: Path) -> Callable[P, T]:
    """Return `start` as on a busy machine: what it starts runs before it returns."""

    def call(*args: P.args, **options: P.kwargs) -> T:
        started = start(*args, **options)
        wait_for(note)
        time.sleep(0.2)
        return started

    return call


class TestRun:
    def test_both_streams_and_status(self) -> None:
        done = run("echo out; echo err >&2; exit 3")
        assert (done.status, done.stdout, done.stderr) == (3, "out\n", "err\n")
        assert done.failure == "exited with status 3"
        assert not done.ok

    def test_success(self) -> None:
        done = run("true")
        assert done.ok
        assert done.failure == ""

    def test_no_standard_input(self) -> None:
        read_end, write_end = os.pipe()
        saved = os.dup(0)
        os.dup2(read_end, 0)  # ours never ends, so a program that read it would hang
        try:
            assert run("cat", timeout=5).ok
        finally:
            os.dup2(saved, 0)
            for descriptor in (saved, read_end, write_end):
                os.close(descriptor)

    def test_signal(self) -> None:
        done = run("kill -SEGV $$")
        assert done.status == -11
        assert done.failure == "was killed by signal 11"

    def test_what_is_not_utf8_is_replaced(self) -> None:
        assert run("printf 'a\\377b'").stdout == "a\ufffdb"

    def test_a_group_of_its_own(self) -> None:
        code = "import os; print(os.getpgrp(), os.getpid())"
        argv = (sys.executable, "-c", code)
        done = run_bounded(argv, env=os.environ, cwd=None, timeout=20)
        group, pid = done.stdout.split()
        assert group == pid
        assert int(group) != os.getpgrp()

    def test_time_limit_kills_the_group(self) -> None:
        started = time.monotonic()
        done = run("sleep 60 & echo $!; wait", timeout=0.5)
        assert time.monotonic() - started < 5
        assert done.status is None
        assert done.failure == "timed out after 0.5 s"
        assert wait_for_end(int(done.stdout))

    def test_time_limit_of_one_that_closed_its_streams(self) -> None:
        started = time.monotonic()
        done = run("exec >&- 2>&-; sleep 60", timeout=0.5)
        assert time.monotonic() - started < 5
        assert done.failure == "timed out after 0.5 s"

    def test_time_limit_of_one_that_ignores_signals(self) -> None:
        started = time.monotonic()
        done = run("trap '' TERM INT; sleep 60; sleep 60", timeout=0.5)
        assert time.monotonic() - started < 5
        assert done.status is None

    def test_child_that_keeps_the_pipe(self) -> None:
        started = time.monotonic()
        done = run("sleep 60 & echo $!; exit 4")
        assert time.monotonic() - started < LINGER + 4
        assert done.status == 4
        assert wait_for_end(int(done.stdout))

    def test_daemon_that_keeps_the_pipe_and_left_the_group(self) -> None:
        """It cannot be killed, but it is not waited for either."""
        daemon = f"{sys.executable} -c 'import os, time; os.setsid(); time.sleep(8)'"
        started = time.monotonic()
        done = run(f"{daemon} & sleep 0.3; echo hello")
        assert time.monotonic() - started < 6
        assert (done.status, done.stdout) == (0, "hello\n")

    @pytest.mark.parametrize("redirect", ["", ">&2"])
    def test_output_limit(self, redirect: str) -> None:
        done = run(f"yes {redirect}")
        assert done.status is None
        assert done.failure == "wrote more than 1 MiB of output"
        assert len(done.stdout) + len(done.stderr) == OUTPUT_LIMIT

    def test_output_just_below_the_limit(self) -> None:
        done = run(f"head -c {OUTPUT_LIMIT} /dev/zero")
        assert done.ok
        assert len(done.stdout) == OUTPUT_LIMIT

    @pytest.mark.parametrize("argv", [(), ("sh",), ("./sh",), ("bin/sh", "-c", "true")])
    def test_relative_programs_are_not_run(self, argv: tuple[str, ...]) -> None:
        done = run_bounded(argv, env=os.environ, cwd=Path("/"), timeout=5)
        assert done.status is None
        assert done.failure == "is not an absolute path and was not run"

    @pytest.mark.parametrize(
        ("path", "reason"),
        [("/nonexistent/cc", "No such file or directory"), ("/etc/passwd", "Permission denied")],
    )
    def test_what_cannot_start(self, path: str, reason: str) -> None:
        done = run_bounded((path,), env=os.environ, cwd=None, timeout=5)
        assert done.failure == f"could not be started: {reason}"

    def test_argument_with_nul(self) -> None:
        done = run_bounded(("/bin/echo", "a\0b"), env=os.environ, cwd=None, timeout=5)
        assert done.status is None

    @pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="counts files through /proc")
    def test_nothing_is_left_open(self) -> None:
        run("true")
        before = len(list(Path("/proc/self/fd").iterdir()))
        for script in ("true", "yes", "sleep 60 & exit 0"):
            run(script)
        run_bounded(("/nonexistent/cc",), env=os.environ, cwd=None, timeout=5)
        assert len(list(Path("/proc/self/fd").iterdir())) <= before

    @pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
    @pytest.mark.parametrize("moment", ["while it runs", "while it is started"])
    def test_a_signal_kills_the_group(
        self, number: signal.Signals, moment: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        note = tmp_path / "pid"

        def interrupt() -> None:
            wait_for(note)
            _thread.interrupt_main(number)

        if moment == "while it is started":
            monkeypatch.setattr(subprocess, "Popen", slowed(subprocess.Popen, note))

        # Both may be ignored where the tests run.
        before = signal.signal(number, signal.default_int_handler)
        other = threading.Thread(target=interrupt)
        other.start()
        try:
            with pytest.raises(KeyboardInterrupt):
                run(f"echo $$ > {note}; sleep 60", timeout=60)
        finally:
            other.join()
            signal.signal(number, before)
        assert wait_for_end(int(note.read_text()))


class TestFind:
    def program(self, directory: Path, name: str = "tool", mode: int = 0o755) -> str:
        directory.mkdir(parents=True, exist_ok=True)
        path = directory / name
        path.write_text("#!/bin/sh\n")
        path.chmod(mode)
        return str(path)

    def test_first_entry_wins(self, tmp_path: Path) -> None:
        first = self.program(tmp_path / "a")
        self.program(tmp_path / "b")
        assert find_program("tool", {"PATH": f"{tmp_path}/a:{tmp_path}/b"}, None) == first

    def test_what_is_not_a_program_is_skipped(self, tmp_path: Path) -> None:
        self.program(tmp_path / "a", mode=0o644)
        (tmp_path / "b" / "tool").mkdir(parents=True)
        last = self.program(tmp_path / "c")
        path = f"{tmp_path}/a:{tmp_path}/b:{tmp_path}/nowhere:{tmp_path}/c"
        assert find_program("tool", {"PATH": path}, None) == last

    @pytest.mark.parametrize("entry", ["", ".", "bin", "./bin", "../here/bin"])
    def test_relative_entries(
        self, entry: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        here = tmp_path / "here"
        self.program(here)
        self.program(here / "bin")
        monkeypatch.chdir(here)
        assert find_program("tool", {"PATH": f"{entry}:/nowhere"}, None) is None
        assert find_program("tool", {"PATH": f"/nowhere:{entry}"}, None) is None

    def test_source_tree(self, tmp_path: Path) -> None:
        tree = tmp_path / "project"
        self.program(tree / "bin")
        outside = self.program(tmp_path / "project-tools")
        path = f"{tree}:{tree}/bin:{tmp_path}/project-tools"
        assert find_program("tool", {"PATH": path}, tree) == outside

    def test_link_into_the_source_tree(self, tmp_path: Path) -> None:
        tree = tmp_path / "project"
        self.program(tree / "bin")
        (tmp_path / "link").symlink_to(tree / "bin")
        assert find_program("tool", {"PATH": f"{tmp_path}/link"}, tree) is None

    def test_source_tree_by_a_link(self, tmp_path: Path) -> None:
        tree = tmp_path / "project"
        self.program(tree / "bin")
        (tmp_path / "alias").symlink_to(tree)
        assert find_program("tool", {"PATH": f"{tree}/bin"}, tmp_path / "alias") is None

    def test_whole_file_system_as_source_tree(self, tmp_path: Path) -> None:
        """A container that builds in `/` still has its compilers."""
        inside = self.program(tmp_path)
        assert find_program("tool", {"PATH": str(tmp_path)}, Path("/")) == inside

    def test_absolute_name(self, tmp_path: Path) -> None:
        path = self.program(tmp_path)
        assert find_program(path, {}, None) == path
        assert find_program(f"{path}-not", {}, None) is None

    @pytest.mark.parametrize("name", ["./tool", "bin/tool", "../tool", ""])
    def test_relative_name(self, name: str, tmp_path: Path) -> None:
        self.program(tmp_path / "bin")
        self.program(tmp_path)
        assert find_program(name, {"PATH": str(tmp_path)}, None) is None

    def test_no_path_is_the_systems(self) -> None:
        assert find_program("sh", {}, None) in ("/bin/sh", "/usr/bin/sh")


@pytest.mark.skipif(not hasattr(os, "fork") or os.geteuid() != 0, reason="needs another user")
def test_directories_that_may_not_be_entered_are_passed_over() -> None:
    """After `su`, PATH may still hold directories below another user's home."""
    import tempfile

    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o700)
        (Path(name) / "bin").mkdir()
        child = os.fork()
        if child == 0:
            os.setgid(65534)
            os.setuid(65534)
            code = 1
            try:
                path = f"{name}:{name}/bin:/usr/bin:/bin"
                found = find_program("sh", {"PATH": path}, None)
                code = 0 if found in ("/usr/bin/sh", "/bin/sh") else 2
            finally:
                os._exit(code)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
