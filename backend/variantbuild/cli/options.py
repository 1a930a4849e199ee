"""Options that several commands share."""

from __future__ import annotations

import argparse
import sysconfig
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from variantbuild.errors import ConfigError, VariantError, WheelError

if TYPE_CHECKING:
    from variantbuild.audit import AuditReport
    from variantbuild.wheel import Inventory, Wheel


def add_settings_options(parser: argparse.ArgumentParser) -> None:
    """Add `-C KEY=VALUE`, as in pip, build and uv, and list our settings below the options."""
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.epilog = _settings_help()
    parser.add_argument(
        "-C",
        "--config-setting",
        action="append",
        default=[],
        dest="config_settings",
        metavar="KEY=VALUE",
        help="a config setting: variantbuild.cpu=v3, or one for the wrapped backend",
    )


def _settings_help() -> str:
    """Return one line for each setting: its key, its default and its values."""
    from variantbuild.config import settings

    lines = ["settings (-C variantbuild.KEY=VALUE), with their defaults in parentheses:"]
    for setting in settings():
        default = setting.default
        if isinstance(default, bool):
            shown = str(default).lower()
        elif isinstance(default, tuple):
            shown = ";".join(default) or "empty"
        else:
            shown = default or "none"
        lines.append(f"  {setting.key} ({shown}): {setting.values.replace('`', '')}")
    return "\n".join(lines)


def config_settings_of(args: argparse.Namespace) -> dict[str, str | list[str]]:
    """Return the config-settings of `-C` and `--target` (`args.target`, where it is one string).

    Raises ConfigError for an option without `=`, and for a target that is given in both ways.
    """
    settings: dict[str, str | list[str]] = {}
    for option in args.config_settings:
        key, equals, value = option.partition("=")
        if not equals or not key:
            raise ConfigError(
                f"-C {option!r} is not KEY=VALUE",
                hint="write -C KEY=VALUE, such as -C variantbuild.cpu=v3",
            )
        before = settings.get(key)
        if before is None:
            settings[key] = value
        else:
            settings[key] = [*([before] if isinstance(before, str) else before), value]
    targets = getattr(args, "target", None) or getattr(args, "targets", None)
    if targets and "variantbuild.target" in settings:
        raise ConfigError("--target and -C variantbuild.target are both given: keep one of them")
    if isinstance(targets, str):
        settings["variantbuild.target"] = targets
    return settings


def add_exclude_option(parser: argparse.ArgumentParser) -> None:
    """Add `--exclude PATTERN`, which the setting `audit-exclude` is for builds."""
    parser.add_argument(
        "--exclude",
        action="append",
        default=[],
        metavar="PATTERN",
        help="count matching files for other machines, such as '*.bpf.o', as data; may be repeated",
    )


def unused_excludes(report: AuditReport, patterns: Sequence[str]) -> tuple[str, ...]:
    """Return a warning for each pattern of `--exclude` that exempts no file of a wheel."""
    from variantbuild.audit.exempt import unused_patterns

    return _unused(unused_patterns(report, patterns))


def unused_member_excludes(
    wheel: Wheel, inventory: Inventory, patterns: Sequence[str]
) -> tuple[str, ...]:
    """Return the warnings of `unused_excludes` for a wheel that is not audited."""
    if not patterns:
        return ()
    from variantbuild.audit.exempt import exempt_members
    from variantbuild.stamp.declared import read_declared
    from variantbuild.wheel.exemption import matching_pattern
    from variantbuild.wheel.machinecode import find_machine_code

    arch = next(iter(read_declared(inventory).architectures), None)
    if arch is None:  # for any platform: all machine code is for another machine
        found = [member.name for member, code in find_machine_code(wheel) if code.role == "host"]
    else:
        found = sorted(exempt_members(wheel, patterns, arch))
    return _unused(
        each for each in patterns if not any(matching_pattern(name, (each,)) for name in found)
    )


def _unused(patterns: Iterable[str]) -> tuple[str, ...]:
    return tuple(
        f"--exclude {each!r} matches no file that is code for another machine" for each in patterns
    )


def check_targets(targets: Sequence[str]) -> None:
    """Refuse targets that this Python cannot build, and duplicates, before any build.

    Raises VariantError with the target and the reason.
    """
    from variantbuild.plan.choice import architecture
    from variantbuild.variant import parse_variants

    for target in targets:
        check_label("--target", target)
    arch = architecture(sysconfig.get_platform())
    if arch is None:
        return
    try:
        parse_variants(targets, arch)
    except VariantError as error:
        raise VariantError(f"--target: {error.message}", hint=error.hint) from None


def check_label(option: str, label: str) -> None:
    """Refuse the empty label, which would mean the baseline; raises VariantError."""
    if not label:
        raise VariantError(f"{option} '' does not name a variant", hint="name one, such as v3")


def wheel_path(text: str) -> Path:
    """Return the path of a wheel named on the command line.

    Raises WheelError for an existing file whose name is not that of a wheel; its hint for an sdist
    is to build it.
    """
    path = Path(text)
    if path.suffix == ".whl" or not path.is_file():
        return path
    sdist = text.endswith((".tar.gz", ".zip"))
    raise WheelError(
        f"{text!r} is {'an sdist' if sdist else 'not a wheel: its name does not end with .whl'}",
        hint=f"build a wheel from it: variantbuild build {text}" if sdist else None,
    )
