"""Runs the delegate's hooks by the plan: flags, settings, device sources and dependencies."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from variantbuild.config.buildsystem import BuildSystem
from variantbuild.config.overrides import added_dependencies
from variantbuild.delegate.backend import Delegate
from variantbuild.delegate.described import describe_delegation
from variantbuild.delegate.handover import Handover, hand_over
from variantbuild.delegate.handover.builddir import name_build
from variantbuild.delegate.handover.cmakevalues import render_cmake_values
from variantbuild.delegate.handover.wrapper import Moved
from variantbuild.delegate.returned import returned_path
from variantbuild.delegate.route import read_replaced, take_route, wrapper_directory
from variantbuild.delegate.separation import needs_own_tree
from variantbuild.errors import DelegateError
from variantbuild.host.local import LocalHost
from variantbuild.host.staging import staging_directory
from variantbuild.plan import BuildPlan
from variantbuild.values import dataclass

if TYPE_CHECKING:
    from variantbuild.plan.device.build import DeviceBuild


@dataclass(frozen=True, kw_only=True, slots=True)
class Built:
    """A wheel in the staging directory, and the project's CPU options that were replaced."""

    wheel: Path
    replaced: tuple[str, ...] = ()


def run_build_hook(
    plan: BuildPlan, delegate: Delegate, hook: str, directory: Path, *, own_tree: bool = False
) -> Built:
    """Let the delegate build a wheel in the staging `directory`.

    `hook` is `build_wheel` or `build_editable`. A wheel whose objects cannot be kept apart from
    those of other builds is built in a copy of the tree, and so is every one with `own_tree`.
    Dependencies from overrides are added to the metadata. Raises DelegateError, and WheelError if
    the metadata cannot be edited.
    """
    # Absolute, as a build in a copy of the tree changes the current directory.
    directory = directory.absolute()
    copied = own_tree or (hook == "build_wheel" and needs_own_tree(delegate, plan.project.path))
    with _work_tree(plan.project.path, delegate, directory if copied else None) as (tree, backend):
        return _run_in(tree, plan, backend, hook, directory)


def _run_in(tree: Path, plan: BuildPlan, delegate: Delegate, hook: str, directory: Path) -> Built:
    device = _completed_device(plan, directory)
    changes = _handover(plan, delegate, directory, device, tree)
    for note in changes.notes:
        delegate.reporter.warning(note)
    output = directory / "out"
    output.mkdir()
    settings = dict(changes.config_settings)
    if device is not None:
        _try_device(plan, delegate, device, changes)
    with _device_sources(plan, delegate, device, changes):
        # The delegate never gets the metadata directory: it would compare ours, which has more in
        # it, with its own byte for byte (scikit-build-core 1.1).
        name = delegate.call(hook, str(output.resolve()), settings, None, env=dict(changes.env))
    replaced = () if changes.wrappers is None else read_replaced(plan, changes.wrappers)
    wheel = _add_dependencies(plan, returned_path(name, output, delegate, hook))
    return Built(wheel=wheel, replaced=replaced)


@contextmanager
def _work_tree(
    source: Path, delegate: Delegate, staging: Path | None
) -> Iterator[tuple[Path, Delegate]]:
    """Yield the tree to build in and the delegate for it: a copy in `staging`, if one is given."""
    if staging is None:
        yield source, delegate
        return
    from variantbuild.delegate.privatetree import copy_source

    tree = copy_source(source, staging)
    before = Path.cwd()
    os.chdir(tree)
    try:
        yield tree, delegate.moved(source, tree)
    finally:
        os.chdir(before)


def delegate_metadata(
    plan: BuildPlan,
    delegate: Delegate,
    directory: Path,
    hook: str = "prepare_metadata_for_build_wheel",
) -> Path:
    """Let the delegate write its dist-info into `directory`; return the dist-info's path."""
    with staging_directory(directory) as staging:
        device = _completed_device(plan, staging)
        changes = _handover(plan, delegate, staging, device, plan.project.path)
        settings = dict(changes.config_settings)
        name = delegate.call(hook, str(directory), settings, env=dict(changes.env))
    dist_info = returned_path(name, directory, delegate, hook)
    if added := added_dependencies(plan.project.config.overrides):
        from variantbuild.wheel.distinfo.headers import parse_headers
        from variantbuild.wheel.rewrite.patch import add_requires

        metadata = dist_info / "METADATA"
        headers = parse_headers(metadata.read_bytes(), metadata.name)
        metadata.write_bytes(add_requires(headers, added))
    return dist_info


def _add_dependencies(plan: BuildPlan, built: Path) -> Path:
    """Add the dependencies from overrides to the metadata of the wheel `built`; return its path."""
    added = added_dependencies(plan.project.config.overrides)
    if not added:
        return built
    from variantbuild.stamp.exemptions import exemptions
    from variantbuild.wheel import Edit, apply_edit, open_wheel, plan_edit, verify_wheel
    from variantbuild.wheel.rewrite.patch import add_requires

    with open_wheel(built) as wheel:
        inventory = verify_wheel(wheel, exempt=exemptions(plan.project.config.audit_exclude))
        metadata = add_requires(inventory.metadata, added)
        edit = plan_edit(inventory, Edit(metadata=metadata))
        return apply_edit(wheel, edit, built.parent, consume=True)


def _completed_device(plan: BuildPlan, directory: Path) -> DeviceBuild | None:
    """Return the device build, with a toolkit from PyPI completed in `directory`."""
    if plan.device is None:
        return None
    from variantbuild.delegate.handover.devicebuild import complete_device_build

    return complete_device_build(plan.device, directory)


def _handover(
    plan: BuildPlan,
    delegate: Delegate,
    directory: Path,
    device: DeviceBuild | None,
    tree: Path,
) -> Handover:
    """Write what the build in `tree` needs, and return what to change around the hook."""
    delegation = describe_delegation(plan, delegate, directory, tree)
    build_name = name_build(str(plan.variant), plan.digest)
    changes = hand_over(
        plan.flags,
        delegation,
        compilers=dict(plan.compilers),
        build_name=build_name,
    )
    for path, text in changes.files:
        _write(path, text)
    values = render_cmake_values(plan.variant, plan.flags)
    changes = replace(changes, env=(*changes.env, *values.items()))
    if device is not None:
        from variantbuild.delegate.handover.devicebuild import hand_device_build

        changes = hand_device_build(device, changes, delegation)
    if not delegation.routed:
        return changes
    host = LocalHost(env=delegate.env, source=plan.project.path)
    wrappers = wrapper_directory(delegation, changes, build_name)
    return take_route(plan, host, changes, wrappers, moved=_moved(plan, tree))


def _moved(plan: BuildPlan, tree: Path) -> Moved | None:
    """Return the paths of a copied tree and of its original; None for a build in place."""
    source = plan.project.path.resolve()
    return None if tree.resolve() == source else Moved(str(tree.resolve()), str(source))


def _write(path: Path, text: str) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise DelegateError(
            f"{str(path)!r}, which the build needs, cannot be written: {error.strerror}",
            hint="copy the source tree to a directory that you may write to, and check that the "
            "disk is not full",
        ) from None


def _try_device(
    plan: BuildPlan, delegate: Delegate, device: DeviceBuild, changes: Handover
) -> None:
    """Compile a small kernel, so that a toolkit that cannot build fails before the long build."""
    from variantbuild.plan.device.devicetrial import try_device_build

    host = LocalHost(env=delegate.env, source=plan.project.path)
    trial = try_device_build(host, device, dict(changes.env))
    if trial.error is not None:
        raise trial.error


def _device_sources(
    plan: BuildPlan, delegate: Delegate, device: DeviceBuild | None, changes: Handover
) -> AbstractContextManager[None]:
    """Let setuptools compile device sources, if the project or a target names accelerators."""
    wanted = plan.devices is not None or plan.project.config.accelerators
    if not wanted or delegate.system is not BuildSystem.SETUPTOOLS:
        return nullcontext()
    from variantbuild.delegate.build_ext import device_sources

    env = {**delegate.env, **dict(changes.env)}
    reason = "the target names none" if plan.devices is None else plan.devices.reason
    return device_sources(device, reason, env)
