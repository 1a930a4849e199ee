"""Kills what a build has started if the build itself is killed and cannot do so (SIGKILL).

A shell reads a pipe that ends with this process, and then kills every process whose environment has
the mark of the run. Linux only: elsewhere the environment of a process is not visible.
"""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import subprocess

_SHELL = "/bin/sh"
_PROC = Path("/proc/self/environ")
#: Asked first: compilers remove their temporary files then. Repeated, as those that are killed may
#: have started others meanwhile. The first search may be too early: between fork and the end of
#: exec a process does not show its environment yet. `$0` is the mark.
_SCRIPT = """
read -r word && exit
early=yes
for kind in TERM TERM KILL KILL KILL KILL KILL KILL KILL KILL; do
  pids=
  for file in $(grep -lsF -e "$0" /proc/[0-9]*/environ); do
    file=${file#/proc/}
    pids="$pids ${file%/environ}"
  done
  [ -n "$pids$early" ] || exit
  early=
  [ -z "$pids" ] || kill -$kind $pids
  sleep 0.2
done
"""


class DeathWatch:
    """The shell that waits for the death of this process, started when it is needed."""

    def __init__(self, mark: str) -> None:
        self._mark = mark
        self._write_end: int | None = None
        self._shell: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start the shell, unless it runs or this system cannot have one."""
        if self._shell is not None or not _PROC.exists():
            return
        import subprocess  # not for hooks that start no program

        read_end, self._write_end = os.pipe()
        try:
            self._shell = subprocess.Popen(
                (_SHELL, "-c", _SCRIPT, self._mark),
                stdin=read_end,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                env={"PATH": "/usr/bin:/bin"},
                cwd="/",
                start_new_session=True,
            )
        except OSError:  # no shell, or no more processes: the build goes on without
            self._close()
        else:
            # A copy in a forked child would keep the pipe open after our death.
            os.register_at_fork(after_in_child=self._close)
        finally:
            os.close(read_end)

    def end(self) -> None:
        """End the shell without killing anything: what a tool left running is there on purpose."""
        if self._shell is None or self._write_end is None:
            return
        with contextlib.suppress(OSError):
            os.write(self._write_end, b"end\n")
        self._close()
        self._shell.wait()

    def _close(self) -> None:
        if self._write_end is not None:
            os.close(self._write_end)
            self._write_end = None
