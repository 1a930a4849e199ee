"""Builds the wheels of several levels, several at a time where CPUs and memory allow."""

from __future__ import annotations

import functools
import sys
from collections.abc import Mapping
from pathlib import Path

from variantbuild.config.buildsystem import BuildSystem
from variantbuild.delegate.backend import Delegate
from variantbuild.delegate.run import Built
from variantbuild.hooks import produce
from variantbuild.host.ending import watch_processes
from variantbuild.host.forked import Task, run_tasks
from variantbuild.host.local import LocalHost
from variantbuild.messages import for_encoding, printable
from variantbuild.plan import BuildPlan
from variantbuild.plan.device.jobs import available_memory

#: Memory that a compiler of C or C++ may take.
_COMPILER = 1 << 30
#: Compilers of one level that run at the same time under setuptools, which starts one; a setup.py
#: may start others.
_FEW = 2
#: Lists the project's CPU options that were replaced, beside the wheel of a level.
_REPLACED_NAME = "replaced"


def levels_at_once(levels: int, system: BuildSystem, cpus: int, available: int | None) -> int:
    """Return how many of `levels` to build at the same time, with `available` bytes of memory.

    Every build system but setuptools uses all CPUs for one level, and each of its compilers needs
    memory. One at a time where the memory is not known.
    """
    if available is None:
        return 1
    compilers = min(_FEW, cpus) if system.channel == "setuptools" else cpus
    return max(1, min(levels, cpus, available // (compilers * _COMPILER)))


def build_levels(
    plans: Mapping[str, BuildPlan], delegate: Delegate, staging: Path, *, parallel: bool
) -> dict[str, Built]:
    """Build the wheel of each plan in a directory of `staging`; return the wheels by label.

    Each build has a process of its own: a project's modules that the one before imported would
    serve the next. Levels that are built at the same time have copies of the source tree as well.
    Raises the error of the first that fails.
    """
    host = LocalHost(env=delegate.env)
    cpus, memory = host.usable_cpus, available_memory(host)
    at_once = levels_at_once(len(plans), delegate.spec.system, cpus, memory) if parallel else 1
    for label in plans:
        (staging / label).mkdir()
    delegate.reporter.note(f"bundle: building {', '.join(plans)}, {_pace(at_once)}")
    tasks = [
        Task(
            name=f"the build for {label}",
            run=functools.partial(_build, plan, delegate, staging / label, own_tree=at_once > 1),
            report=staging / f"{label}.error",
            log=staging / f"{label}.log" if at_once > 1 else None,
        )
        for label, plan in plans.items()
    ]
    # The watch of one level would kill what all have started, as that level ends.
    watch_processes()
    _flush()  # what is still in memory would be written by each process
    run_tasks(tasks, at_once, _show)
    return {label: _read_built(staging / label) for label in plans}


def _pace(at_once: int) -> str:
    return "one after another" if at_once == 1 else f"{at_once} at a time"


def _build(plan: BuildPlan, delegate: Delegate, place: Path, *, own_tree: bool) -> None:
    try:
        built = produce.produce_built(plan, delegate, place, own_tree=own_tree)
        (place / _REPLACED_NAME).write_text("\n".join(built.replaced), encoding="utf-8")
    finally:
        _flush()


def _read_built(place: Path) -> Built:
    """Return what a build in another process left in its directory."""
    replaced = (place / _REPLACED_NAME).read_text(encoding="utf-8").splitlines()
    return Built(wheel=next(place.glob("*.whl")), replaced=tuple(replaced))


def _flush() -> None:
    for stream in (sys.stdout, sys.stderr):
        stream.flush()


def _show(task: Task) -> None:
    """Print the output of a build as a whole, so that those of two builds are not mixed."""
    if task.log is None or not task.log.exists():
        return
    text = printable(task.log.read_text("utf-8", "replace"))
    print(for_encoding(f"output of {task.name}:\n{text}", sys.stderr.encoding), file=sys.stderr)
