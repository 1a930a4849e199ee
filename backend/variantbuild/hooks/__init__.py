"""The PEP 517 and PEP 660 hooks, where errors become messages and exit codes.

Front ends run each hook in a separate process, in the source tree. What prepare passes on to build
is recorded in the prepared dist-info (`prepared`). Each hook imports what it needs: a front end
starts three to build one wheel.
"""

from __future__ import annotations

import functools
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, ParamSpec, TypeVar

from variantbuild.delegate.backend import OPTIONAL_HOOKS, requirements
from variantbuild.errors import UnavailableDelegateError, VariantBuildError
from variantbuild.hooks.planning import (
    bundle_levels,
    open_project,
    plan_project,
    read_project,
)
from variantbuild.host.ending import clean_ending
from variantbuild.host.local import LocalHost
from variantbuild.messages import StderrReporter
from variantbuild.types import ConfigSettings

if TYPE_CHECKING:
    from variantbuild.plan import BuildPlan

P = ParamSpec("P")
T = TypeVar("T")


@contextmanager
def _boundary() -> Iterator[None]:
    """Print a VariantBuildError and exit with its code.

    Exits because the helper process of every front end prints a traceback for an exception.
    """
    try:
        with clean_ending(os.environ), _storage():
            yield
    except VariantBuildError as error:
        sys.stdout.flush()
        StderrReporter(os.environ).error(str(error))
        if isinstance(error, UnavailableDelegateError):
            from variantbuild.hooks.unavailable import raise_unavailable

            raise_unavailable(error.message)
        raise SystemExit(error.exit_code) from None


@contextmanager
def _storage() -> Iterator[None]:
    """Refuse a full disk and the like in one sentence, wherever they are met."""
    try:
        yield
    except OSError as error:
        from variantbuild.hooks.storage import refuse_storage

        refuse_storage(error, StderrReporter(os.environ))
        raise


def _hook(function: Callable[P, T]) -> Callable[P, T]:
    @functools.wraps(function)
    def guarded(*args: P.args, **kwargs: P.kwargs) -> T:
        with _boundary():
            return function(*args, **kwargs)

    return guarded


def _writing_hook(argument: str) -> Callable[[Callable[P, T]], Callable[P, T]]:
    """Guard a hook whose first `argument` is the directory it writes to, created if missing."""

    def decorate(function: Callable[P, T]) -> Callable[P, T]:
        @functools.wraps(function)
        def guarded(*args: P.args, **kwargs: P.kwargs) -> T:
            from variantbuild.host.staging import output_directory

            directory = args[0] if args else kwargs[argument]
            with _boundary(), output_directory(Path(str(directory))):
                return function(*args, **kwargs)

        return guarded

    return decorate


def find_hook(name: str) -> object | None:
    """Return the hook `name`; None if it is optional and the delegate lacks it.

    If the settings or the delegate cannot be loaded the hook is returned, and reports why.
    """
    hook = _HOOKS.get(name)
    if name not in OPTIONAL_HOOKS:
        return hook
    try:
        _, delegate = open_project(None)
    except VariantBuildError:
        return hook
    return hook if delegate.has(name) else None


@_writing_hook("wheel_directory")
def build_wheel(
    wheel_directory: str,
    config_settings: ConfigSettings | None = None,
    metadata_directory: str | None = None,
) -> str:
    """Build, audit, stamp and publish a wheel in `wheel_directory`; return its file name.

    The hook of PEP 517. A wheel that the prepare hook built already is used if plan and flags
    have not changed.
    """
    from variantbuild.hooks.prepared import find_wheel, read_prepared
    from variantbuild.hooks.produce import produce_wheel
    from variantbuild.host.staging import publish_copy

    project, delegate = open_project(config_settings)
    prepared = read_prepared(metadata_directory)
    destination = Path(wheel_directory)
    if levels := bundle_levels(project, delegate):
        from variantbuild.hooks.bundling import produce_bundle

        def plan_level(settings: ConfigSettings) -> BuildPlan:
            return plan_project(read_project(settings), delegate, prepared)

        return produce_bundle(
            levels, project.config, config_settings, plan_level, delegate, destination
        ).name
    plan = plan_project(project, delegate, prepared)
    if prepared is not None and metadata_directory is not None:
        built = find_wheel(prepared, Path(metadata_directory), plan)
        if built is not None:
            return publish_copy(built, destination).name
    return produce_wheel(plan, delegate, destination).name


@_writing_hook("sdist_directory")
def build_sdist(sdist_directory: str, config_settings: ConfigSettings | None = None) -> str:
    """Build the delegate's source distribution in `sdist_directory`; return its file name.

    The hook of PEP 517. An sdist is the same on every machine, so it is not stamped.
    """
    from variantbuild.hooks.produce import produce_sdist

    project, delegate = open_project(config_settings)
    return produce_sdist(project, delegate, Path(sdist_directory))


def _requires(hook: str) -> Callable[[ConfigSettings | None], list[str]]:
    @_hook
    def get_requires(config_settings: ConfigSettings | None = None) -> list[str]:
        project, delegate = open_project(config_settings)
        answer = delegate.call(hook, dict(project.delegate_settings))
        required = requirements(answer, hook, delegate.spec)
        if hook == "get_requires_for_build_sdist":
            return required
        if not project.config.accelerators and project.config.target is None:
            return required
        from variantbuild.plan.device.requirements import toolchain_requirements

        host = LocalHost(env=os.environ, source=project.path)
        return [*required, *toolchain_requirements(project, host)]

    get_requires.__name__ = hook
    get_requires.__doc__ = f"Return the requirements of the delegate's {hook} (PEP 517, PEP 660)."
    return get_requires


@_writing_hook("metadata_directory")
def _prepare_wheel(metadata_directory: str, config_settings: ConfigSettings | None = None) -> str:
    """Write the wheel's dist-info into `metadata_directory`; return its name (PEP 517).

    If the front end is to see a local version the wheel is built here: whether it contains machine
    code is not known before. build_wheel then uses that wheel.
    """
    from variantbuild.hooks.prepared import WHEEL_DIRECTORY, unpack_metadata, write_prepared

    project, delegate = open_project(config_settings)
    directory = Path(metadata_directory)
    levels = bundle_levels(project, delegate)
    if levels:
        from variantbuild.hooks.bundling import level_settings

        project = read_project(level_settings(config_settings, levels[0]))
    plan = plan_project(project, delegate)
    if not levels and plan.naming.local and not plan.variant.is_baseline:
        from variantbuild.hooks.produce import produce_wheel

        wheels = directory / WHEEL_DIRECTORY
        wheels.mkdir(exist_ok=True)
        built = produce_wheel(plan, delegate, wheels)
        dist_info = unpack_metadata(built, directory)
        write_prepared(plan, dist_info, built, os.environ)
    else:
        from variantbuild.delegate.run import delegate_metadata

        dist_info = delegate_metadata(plan, delegate, directory)
        # Tags and contents are unknown until the build.
        for name in ("WHEEL", "RECORD"):
            (dist_info / name).unlink(missing_ok=True)
        write_prepared(plan, dist_info, None, os.environ)
    return dist_info.name


@_writing_hook("metadata_directory")
def _prepare_editable(
    metadata_directory: str, config_settings: ConfigSettings | None = None
) -> str:
    """Write the delegate's metadata of an editable wheel (PEP 660); it is never stamped."""
    from variantbuild.delegate.run import delegate_metadata

    project, delegate = open_project(config_settings)
    plan = plan_project(project, delegate)
    directory = Path(metadata_directory)
    hook = "prepare_metadata_for_build_editable"
    return delegate_metadata(plan, delegate, directory, hook).name


@_writing_hook("wheel_directory")
def _build_editable(
    wheel_directory: str,
    config_settings: ConfigSettings | None = None,
    metadata_directory: str | None = None,
) -> str:
    """Build an editable wheel with the variant's flags, audited but never stamped (PEP 660)."""
    from variantbuild.hooks.produce import produce_editable

    project, delegate = open_project(config_settings)
    plan = plan_project(project, delegate)
    return produce_editable(plan, delegate, Path(wheel_directory)).name


_HOOKS: dict[str, object] = {
    "build_wheel": build_wheel,
    "build_sdist": build_sdist,
    **{name: _requires(name) for name in OPTIONAL_HOOKS if name.startswith("get_requires")},
    "prepare_metadata_for_build_wheel": _prepare_wheel,
    "prepare_metadata_for_build_editable": _prepare_editable,
    "build_editable": _build_editable,
}
