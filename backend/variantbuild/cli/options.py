"""Options that several commands share."""

from __future__ import annotations

import argparse

from variantbuild.errors import ConfigError


def add_settings_options(parser: argparse.ArgumentParser) -> None:
    """Add `-C KEY=VALUE`, as pip, build and uv spell it."""
    parser.add_argument(
        "-C",
        "--config-setting",
        action="append",
        default=[],
        dest="config_settings",
        metavar="KEY=VALUE",
        help="a config-setting: variantbuild.cpu=v3, or one of the delegate's own",
    )


def config_settings_of(args: argparse.Namespace) -> dict[str, str | list[str]]:
    """Return the config-settings of `-C` and `--target` (`args.target`, where it is one string).

    Raises ConfigError for an option without `=`.
    """
    settings: dict[str, str | list[str]] = {}
    for option in args.config_settings:
        key, equals, value = option.partition("=")
        if not equals or not key:
            raise ConfigError(
                f"-C {option!r} has no value",
                hint="write -C KEY=VALUE, such as -C variantbuild.cpu=v3",
            )
        before = settings.get(key)
        if before is None:
            settings[key] = value
        else:
            settings[key] = [*([before] if isinstance(before, str) else before), value]
    if isinstance(getattr(args, "target", None), str):
        settings["variantbuild.target"] = args.target
    return settings
