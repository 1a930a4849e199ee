"""The command line of the parent process, from /proc and from ps."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from hosts.recorded import RecordedHost
from variantbuild.host import Completed
from variantbuild.host.parent import command_line_of, parent_command_line

BACKEND = Path(__file__).resolve().parents[3] / "backend"
CODE = (
    "from variantbuild.host.local import LocalHost\n"
    "from variantbuild.host.parent import parent_command_line\n"
    "print(parent_command_line(LocalHost(env={})))"
)
PS = ("-o", "command=", "-p", "77")


@pytest.mark.skipif(not Path("/proc/self/cmdline").exists(), reason="no /proc here")
def test_parent_is_the_process_that_started_this_one() -> None:
    env = {**os.environ, "PYTHONPATH": str(BACKEND)}
    words = [sys.executable, "-c", CODE]
    said = subprocess.run(words, env=env, capture_output=True, text=True, check=True).stdout
    own = Path("/proc/self/cmdline").read_bytes().split(b"\0")
    assert said.strip() == repr(tuple(word.decode() for word in own if word))


def test_proc_before_ps() -> None:
    file = f"/proc/{os.getppid()}/cmdline"
    host = RecordedHost(files={file: "python\0-m\0build\0"})
    assert parent_command_line(host) == ("python", "-m", "build")
    assert host.calls == []
    assert parent_command_line(RecordedHost(files={file: ""})) == ()


@pytest.mark.parametrize(
    ("status", "printed", "words"),
    [
        (
            0,
            "/usr/bin/python3 -m build '/tmp/a b'\n",
            ("/usr/bin/python3", "-m", "build", "/tmp/a b"),
        ),
        (0, "python 'unmatched\n", ()),
        (1, "", ()),
    ],
)
def test_ps_where_there_is_no_proc(status: int, printed: str, words: tuple[str, ...]) -> None:
    answer = Completed(argv=("/bin/ps", *PS), status=status, stdout=printed, stderr="")
    host = RecordedHost(system="Darwin").with_program("/bin/ps", {PS: answer})
    assert command_line_of(host, 77) == words
    assert host.calls == [("/bin/ps", *PS)]


def test_neither_proc_nor_ps() -> None:
    assert command_line_of(RecordedHost(system="Windows"), 77) == ()


@pytest.mark.skipif(not Path("/bin/ps").exists(), reason="ps is not installed")
def test_options_are_those_of_ps() -> None:
    words = ["/bin/ps", *PS[:-1], str(os.getpid())]
    said = subprocess.run(words, capture_output=True, text=True, check=True).stdout
    assert said.split()[0].rpartition("/")[2].startswith("py")
