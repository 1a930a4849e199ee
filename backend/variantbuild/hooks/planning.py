"""What every hook does first: read the settings, load the delegate, and plan the build."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from variantbuild.config.delegatespec import resolve_delegate
from variantbuild.config.project import Project, load_project
from variantbuild.delegate.backend import Delegate, load_delegate
from variantbuild.host.local import LocalHost
from variantbuild.messages import StderrReporter
from variantbuild.probe.machinenames import machine_names
from variantbuild.types import ConfigSettings

if TYPE_CHECKING:
    from variantbuild.hooks.prepared import Prepared
    from variantbuild.host import Host
    from variantbuild.plan import BuildPlan
    from variantbuild.plan.flags.trial import Trial


def read_project(config_settings: ConfigSettings | None) -> Project:
    """Read the settings of the project in the current directory."""
    machine = machine_names(LocalHost(env=os.environ, source=Path.cwd()))
    return load_project(Path.cwd(), config_settings, os.environ, machine=machine)


def open_project(config_settings: ConfigSettings | None) -> tuple[Project, Delegate]:
    """Read the project in the current directory and load its delegate."""
    project = read_project(config_settings)
    return project, load_delegate(
        resolve_delegate(project), env=os.environ, reporter=StderrReporter(os.environ)
    )


def bundle_levels(project: Project, delegate: Delegate) -> tuple[str, ...]:
    """Return the levels of the bundle; none, with a note, where this platform has no bundles."""
    if not project.config.bundle:
        return ()
    from variantbuild.bundle.asked import resolve_levels

    asked = resolve_levels(project.config, LocalHost(env=os.environ).platform)
    if not asked.labels:
        delegate.reporter.note(f"not a bundle: {asked.reason}")
    return asked.labels


def plan_project(
    project: Project, delegate: Delegate, prepared: Prepared | None = None
) -> BuildPlan:
    """Plan the build of `project`.

    The situation and the trial compilation of `prepared` are used again, the latter if it would
    run the same commands.
    """
    from variantbuild.frontend.situation import detect_situation, read_traces
    from variantbuild.plan import make_plan

    host = LocalHost(env=os.environ, source=project.path)
    if prepared is not None:
        situation = prepared.situation
    else:
        situation = detect_situation(read_traces(host, project.path, is_sdist=project.is_sdist))
    plan = make_plan(project, delegate.spec, host, situation)
    return plan.settled(_trial(plan, host, prepared))


def _trial(plan: BuildPlan, host: Host, prepared: Prepared | None) -> Trial:
    """Return the trial of `plan`, from `prepared` if it was done there."""
    from variantbuild.plan import try_plan

    if prepared is not None and prepared.trial is not None:
        from variantbuild.hooks.trialrecord import find_trial
        from variantbuild.plan.flags.trial import first_commands

        asked = first_commands(host, plan.flags, dict(plan.compilers), plan.compilation.tried)
        if (trial := find_trial(prepared.trial, plan, asked, host.env)) is not None:
            return trial
    return try_plan(plan, host)
