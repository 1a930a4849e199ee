"""From a plan to a published file: build, audit, decide, stamp, publish.

Everything is written in a staging directory inside the destination, on the same file system. A
file appears under its final name only when it is complete.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from variantbuild.config.project import Project
from variantbuild.delegate.backend import Delegate
from variantbuild.delegate.returned import returned_path
from variantbuild.delegate.run import Built, run_build_hook
from variantbuild.errors import VariantBuildError
from variantbuild.hooks.approval import approve_in_place, approve_wheel, compiled_modules
from variantbuild.host.sourcedate import read_source_date
from variantbuild.host.staging import publish, staging_directory
from variantbuild.messages import Reporter
from variantbuild.plan import BuildPlan

if TYPE_CHECKING:
    from variantbuild.buildcache.use import CachedBuild


def produce_wheel(
    plan: BuildPlan, delegate: Delegate, destination: Path, *, own_tree: bool = False
) -> Path:
    """Build the wheel of `plan` and publish it, stamped, in `destination`; return its path.

    `own_tree`, and what is raised, is that of `produce_built`.
    """
    return produce_built(plan, delegate, destination, own_tree=own_tree).wheel


def produce_built(
    plan: BuildPlan, delegate: Delegate, destination: Path, *, own_tree: bool = False
) -> Built:
    """Do what `produce_wheel` does; return the published wheel, and what was replaced in it.

    With `own_tree` it is built in a copy of the source tree, whatever the delegate. A wheel that
    gets no stamp is published as the delegate wrote it. Raises DelegateError,
    WheelError or AuditError; `destination` is then unchanged.
    """
    read_source_date(delegate.env)  # a wrong one is reported before the build
    _report_plan(plan, delegate.reporter)
    cached = _open_cache(plan, delegate)
    if cached is not None and (taken := cached.take(destination)) is not None:
        return Built(wheel=taken)
    from variantbuild.buildcache.refused import begin_attempt

    attempt = begin_attempt(plan, delegate.env)
    with staging_directory(destination) as staging:
        kept = attempt.resume(staging, delegate.reporter)
        if kept is None:
            built = run_build_hook(plan, delegate, "build_wheel", staging, own_tree=own_tree)
        else:
            built = Built(wheel=kept.wheel, replaced=kept.replaced)
        _report_replaced(plan, built, delegate.reporter)
        try:
            made = _finish(plan, delegate, built, destination)
        except VariantBuildError as error:
            raise attempt.keep(built.wheel, error, built.replaced) from None
    attempt.forget()
    if cached is not None:
        cached.store_wheel(made)
    return Built(wheel=made, replaced=built.replaced)


def _finish(plan: BuildPlan, delegate: Delegate, built: Built, destination: Path) -> Path:
    """Audit the delegate's wheel `built`, and publish it, with the stamp that it earned."""
    approved = approve_wheel(plan, built.wheel, delegate.reporter)
    if approved is None:
        return publish(built.wheel, destination)
    from variantbuild.hooks.stamping import publish_approved

    epoch = read_source_date(delegate.env)
    return publish_approved(plan, approved, built, destination, epoch=epoch, env=delegate.env)


def produce_editable(plan: BuildPlan, delegate: Delegate, destination: Path) -> Path:
    """Build an editable wheel and publish it without a stamp; return its path.

    The modules in it, and those that the delegate left in the source tree, are audited.
    """
    read_source_date(delegate.env)
    before = compiled_modules(plan.project.path)
    with staging_directory(destination) as staging:
        made_here = run_build_hook(plan, delegate, "build_editable", staging)
        _report_replaced(plan, made_here, delegate.reporter)
        built = made_here.wheel
        approve_in_place(plan, built, staging, before, delegate.reporter)
        return publish(built, destination)


def produce_sdist(project: Project, delegate: Delegate, destination: Path) -> str:
    """Build the delegate's sdist and publish it unchanged in `destination`; return its name."""
    read_source_date(delegate.env)
    with staging_directory(destination) as staging:
        name = delegate.call("build_sdist", str(staging), dict(project.delegate_settings))
        return publish(returned_path(name, staging, delegate, "build_sdist"), destination).name


def _report_plan(plan: BuildPlan, reporter: Reporter) -> None:
    for message in plan.messages:
        reporter.warning(message)
    if not plan.variant.is_baseline:
        reporter.note(f"building for {plan.variant}: {plan.choice.reason}")
    elif plan.situation.cibuildwheel:
        reporter.note(plan.choice.reason)


def _report_replaced(plan: BuildPlan, built: Built, reporter: Reporter) -> None:
    if built.replaced:
        reporter.note(
            f"override-march: {', '.join(built.replaced)} of the project replaced by the flags of "
            f"{plan.variant}"
        )


def _open_cache(plan: BuildPlan, delegate: Delegate) -> CachedBuild | None:
    if not plan.project.config.build_cache:
        return None
    from variantbuild.buildcache.use import open_cache

    return open_cache(plan, delegate.env, delegate.reporter)
