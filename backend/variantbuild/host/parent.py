"""The command line of the process that started this one."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from variantbuild.host import Host

_PS = "/bin/ps"


def parent_command_line(host: Host) -> tuple[str, ...]:
    """Return the words of the parent's command line; empty if the system does not show it."""
    return command_line_of(host, os.getppid())


def command_line_of(host: Host, pid: int) -> tuple[str, ...]:
    """Return the command line of process `pid`, from /proc if it exists, otherwise from ps."""
    text = host.read_text(f"/proc/{pid}/cmdline")
    if text is not None:
        return tuple(word for word in text.split("\0") if word)
    if host.which(_PS) is None:
        return ()
    import shlex

    done = host.run((_PS, "-o", "command=", "-p", str(pid)), timeout=5)
    try:
        return tuple(shlex.split(done.stdout)) if done.ok else ()
    except ValueError:  # an unmatched quotation mark
        return ()
