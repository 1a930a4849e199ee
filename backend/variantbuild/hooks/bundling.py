"""Builds the wheel of each level and joins them: the setting `bundle`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from variantbuild.audit import AuditReport
from variantbuild.bundle.joining import Bundled, Options, bundle_wheels
from variantbuild.config import Config
from variantbuild.delegate.backend import Delegate
from variantbuild.delegate.run import Built
from variantbuild.hooks.levelbuilds import build_levels
from variantbuild.hooks.provenance import render_provenance
from variantbuild.host.sourcedate import read_source_date
from variantbuild.host.staging import publish, staging_directory
from variantbuild.plan import BuildPlan
from variantbuild.types import ConfigSettings

#: The settings of the user that say which variant one wheel is built for.
_REPLACED = ("target", "bundle", "cpu", "local-version", "platform-tag")

#: Plans the wheel of one level, given its config-settings.
Planner = Callable[[ConfigSettings], BuildPlan]


def level_settings(given: ConfigSettings | None, label: str) -> ConfigSettings:
    """Return the config-settings that build the wheel of one level, with its label."""
    replaced = {f"variantbuild.{key}" for key in _REPLACED}
    kept = {key: value for key, value in (given or {}).items() if key not in replaced}
    return {
        **kept,
        "variantbuild.target": label,
        "variantbuild.local-version": "always",
        "variantbuild.platform-tag": "set",
    }


def produce_bundle(
    labels: tuple[str, ...],
    config: Config,
    given: ConfigSettings | None,
    plan_level: Planner,
    delegate: Delegate,
    destination: Path,
) -> Path:
    """Build a wheel for each of `labels`, the baseline first, and publish their bundle.

    The levels are built at the same time where CPUs and memory allow, unless `bundle-parallel` is
    false. A project without machine code gives the wheel of the baseline. Raises what the single
    builds and `bundle_wheels` raise; `destination` is then unchanged.
    """
    reporter = delegate.reporter
    plans = {label: plan_level(level_settings(given, label)) for label in labels}
    with staging_directory(destination) as staging:
        built = build_levels(plans, delegate, staging, parallel=config.bundle_parallel)
        lowest = built[labels[0]]
        if not _has_machine_code(lowest.wheel):
            reporter.warning("the wheel contains no machine code, so it is not a bundle")
            return publish(lowest.wheel, destination)
        options = Options(
            method=config.bundle_method,
            take_baseline=config.bundle_take_baseline,
            exclude=config.audit_exclude,
            epoch=read_source_date(delegate.env),
            records={labels[0]: _baseline_record(plans[labels[0]], lowest, delegate.env)},
        )
        bundled = bundle_wheels(
            [each.wheel for each in built.values()], destination, options, delegate.env
        )
    for note in bundled.notes:
        reporter.warning(note)
    reporter.note(f"bundle: {_sentence(bundled)}")
    return bundled.path


def _sentence(bundled: Bundled) -> str:
    if bundled.method is None:
        return "every module is the same at every level"
    return (
        f"copies for {', '.join(reversed(bundled.labels))}, method {bundled.method} "
        f"({bundled.chosen.reason})"
    )


def _has_machine_code(path: Path) -> bool:
    from variantbuild.wheel import open_wheel
    from variantbuild.wheel.machinecode import find_machine_code

    with open_wheel(path) as wheel:
        return any(True for _ in find_machine_code(wheel))


def _baseline_record(plan: BuildPlan, built: Built, env: Mapping[str, str]) -> bytes:
    """Return the record of the baseline's build, which has no stamp and so none of its own.

    `env` is the environment of the build.
    """
    name = built.wheel.name
    return render_provenance(
        name=name.partition("-")[0],
        version="0",
        variant=plan.variant,
        flags=plan.flags,
        compilers=plan.compilers,
        facts=plan.facts,
        report=AuditReport(name=name, platforms=(), files=()),
        replaced=built.replaced,
        env=env,
    )
