"""Name this process, and look in /proc."""

from pathlib import Path

from setproctitle import getproctitle, setproctitle

setproctitle("renamed process")
assert getproctitle() == "renamed process"
assert b"renamed process" in Path("/proc/self/cmdline").read_bytes()
