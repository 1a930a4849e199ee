"""Finds external programs safely, and runs them with limits on time and output.

Implements `Host.which` and `Host.run` for this machine. Programs in relative directories or in the
source tree are never run, and a program that hangs, floods its output or leaves children behind
cannot block a build.
"""

from __future__ import annotations

import os
import signal
import subprocess
import threading
import time
from collections.abc import Mapping
from pathlib import Path

from variantbuild.host import Completed
from variantbuild.host.ending import deferred_signals, kill_marked, mark_run, watch_processes

#: Raised for a failed program that another library runs and checks.
CalledProcessError = subprocess.CalledProcessError
#: Limit of one output stream, in bytes; a program that writes more is killed.
OUTPUT_LIMIT = 1 << 20
#: How long a stream may stay open after the program has exited, in seconds: some programs start
#: a server that inherits their output.
LINGER = 1.0


def find_program(name: str, env: Mapping[str, str], source: Path | None) -> str | None:
    """Return the absolute path of program `name` on the PATH of `env`; None if it is not found.

    An absolute `name` is returned unchanged; a relative path is never found. Relative and empty
    entries of PATH and those inside `source` are skipped: a source tree must not be able to bring
    its own `gcc`. (If the source tree is the root directory nothing is excluded.)
    """
    suffixes = _suffixes(name, env)
    if Path(name).is_absolute():
        return _first_executable([name + suffix for suffix in suffixes])
    if Path(name).name != name:
        return None
    for entry in env.get("PATH", os.defpath).split(os.pathsep):
        if not os.path.isabs(entry):  # noqa: PTH117 - pathlib costs more than the search
            continue
        found = _first_executable([os.path.join(entry, name + suffix) for suffix in suffixes])  # noqa: PTH118 - as above
        if found is not None and not _is_in_tree(Path(entry), source):
            return str(Path(found))
    return None


def _is_in_tree(directory: Path, source: Path | None) -> bool:
    if source is None:
        return False
    tree = source.resolve()
    return tree.parent != tree and directory.resolve().is_relative_to(tree)


def _suffixes(name: str, env: Mapping[str, str]) -> tuple[str, ...]:
    if os.name != "nt":
        return ("",)
    known = tuple(s for s in env.get("PATHEXT", ".COM;.EXE;.BAT;.CMD").split(";") if s)
    return ("",) if name.lower().endswith(tuple(s.lower() for s in known)) else known


def _first_executable(paths: list[str]) -> str | None:
    for path in paths:
        # Not Path.is_file, which raises where a directory may not be entered.
        if os.path.isfile(path) and os.access(path, os.X_OK):  # noqa: PTH113 - as above
            return path
    return None


def run_bounded(
    argv: tuple[str, ...], *, env: Mapping[str, str], cwd: Path | None, timeout: float
) -> Completed:
    """Run `argv` in a new process group, with limits on time (seconds) and output.

    Returns when the program has exited and its streams are closed. The whole group is killed at the
    time limit, if a stream exceeds `OUTPUT_LIMIT`, and if a child keeps a stream open for `LINGER`
    seconds after the program has exited; at a limit also children that have left the group.
    """
    if not argv or not Path(argv[0]).is_absolute():
        return _not_started(argv, "is not an absolute path and was not run")
    streams = (_Stream(), _Stream())
    env = dict(env)
    mark = mark_run(env)
    watch_processes()
    process = None
    try:
        with deferred_signals():
            try:
                process = _start(argv, streams, env, cwd)
            except (OSError, ValueError) as error:
                return _refuse(argv, streams, error)
        for stream in streams:
            stream.start()
        reason = _await_end(process, streams, timeout)
    except BaseException:  # Ctrl-C reaches only us: the program runs in a new session
        kill_marked(mark)
        if process is not None:
            _kill_group(process)
            process.wait()
        raise
    if reason is not None:
        kill_marked(mark)
    if reason is not None or any(stream.is_open for stream in streams):
        _kill_group(process)
    process.wait()
    for stream in streams:
        stream.join(LINGER)
    return Completed(
        argv=argv,
        status=process.returncode if reason is None else None,
        stdout=streams[0].text(),
        stderr=streams[1].text(),
        error=reason,
    )


def _start(
    argv: tuple[str, ...],
    streams: tuple[_Stream, _Stream],
    env: Mapping[str, str],
    cwd: Path | None,
) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        argv,
        stdin=subprocess.DEVNULL,
        stdout=streams[0].write_end,
        stderr=streams[1].write_end,
        env=env,
        cwd=cwd,
        start_new_session=True,
        creationflags=getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0),
    )


def _await_end(
    process: subprocess.Popen[bytes], streams: tuple[_Stream, _Stream], timeout: float
) -> str | None:
    """Wait for the program and its streams; return why it has to be killed, or None."""
    deadline = time.monotonic() + timeout
    while any(stream.is_open for stream in streams):
        for stream in streams:
            if stream.exceeded:
                return f"wrote more than {OUTPUT_LIMIT >> 20} MiB of output"
        now = time.monotonic()
        if now >= deadline:
            return f"timed out after {timeout:g} s" if process.poll() is None else None
        next(s for s in streams if s.is_open).join(min(0.05, deadline - now))
        if process.poll() is not None:
            deadline = min(deadline, now + LINGER)
    if any(stream.exceeded for stream in streams):
        return f"wrote more than {OUTPUT_LIMIT >> 20} MiB of output"
    try:
        process.wait(max(0.0, deadline - time.monotonic()))
    except subprocess.TimeoutExpired:
        return f"timed out after {timeout:g} s"
    return None


def _kill_group(process: subprocess.Popen[bytes]) -> None:
    try:
        if os.name == "nt":
            process.kill()
        else:
            # Also after the leader has exited: its children keep the group's id.
            os.killpg(process.pid, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        pass  # the group has exited already, or only zombies are left (macOS refuses those)


def _refuse(argv: tuple[str, ...], streams: tuple[_Stream, _Stream], error: Exception) -> Completed:
    for stream in streams:
        stream.discard()
    reason = error.strerror if isinstance(error, OSError) else str(error)
    return _not_started(argv, f"could not be started: {reason}")


def _not_started(argv: tuple[str, ...], error: str) -> Completed:
    return Completed(argv=argv, status=None, stdout="", stderr="", error=error)


class _Stream:
    """One output stream, collected by a thread: Windows cannot wait for pipes."""

    def __init__(self) -> None:
        self._read_end, self.write_end = os.pipe()
        self._chunks: list[bytes] = []
        self.exceeded = False
        self._thread = threading.Thread(target=self._collect, daemon=True)

    def start(self) -> None:
        os.close(self.write_end)
        self._thread.start()

    def discard(self) -> None:
        os.close(self.write_end)
        os.close(self._read_end)

    @property
    def is_open(self) -> bool:
        return self._thread.is_alive()

    def join(self, seconds: float) -> None:
        self._thread.join(seconds)

    def text(self) -> str:
        return b"".join(self._chunks)[:OUTPUT_LIMIT].decode("utf-8", "replace")

    def _collect(self) -> None:
        size = 0
        try:
            while chunk := os.read(self._read_end, 1 << 16):
                self._chunks.append(chunk)
                size += len(chunk)
                if size > OUTPUT_LIMIT:
                    self.exceeded = True
                    return
        finally:
            os.close(self._read_end)
