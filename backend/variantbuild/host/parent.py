"""The command line of the process that started this one."""

from __future__ import annotations

import os
from pathlib import Path


def parent_command_line() -> tuple[str, ...]:
    """Return the words of the parent's command line; none where the system does not show them."""
    parent = os.getppid()
    try:
        raw = Path(f"/proc/{parent}/cmdline").read_bytes()
    except OSError:
        return ps_command_line(parent)
    return tuple(part.decode("utf-8", "replace") for part in raw.split(b"\0") if part)


def ps_command_line(pid: int) -> tuple[str, ...]:
    """Return the command line of process `pid` as ps prints it (macOS); none without ps."""
    program = Path("/bin/ps")
    if not program.exists():
        return ()
    import shlex

    from variantbuild.host.processes import run_bounded

    argv = (str(program), "-o", "command=", "-p", str(pid))
    done = run_bounded(argv, env={}, cwd=None, timeout=5)
    try:
        return tuple(shlex.split(done.stdout))
    except ValueError:  # a quotation mark without its pair
        return ()
