"""`variantbuild build`: one wheel, or one per target, with progress and a table at the end."""

from __future__ import annotations

import argparse
import sys
import tarfile
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from variantbuild.bundle.asked import resolve_levels
from variantbuild.cli.options import add_settings_options, check_targets, config_settings_of
from variantbuild.cli.terminal import (
    paint,
    print_json,
    progress,
    report_error,
    report_message,
    shown_path,
    table,
)
from variantbuild.config.project import load_project
from variantbuild.errors import ConfigError, VariantBuildError
from variantbuild.frontend.isolated import BuildFailedError, build_isolated
from variantbuild.host.local import LocalHost
from variantbuild.host.staging import output_directory
from variantbuild.messages import Message, read_messages
from variantbuild.probe.machinenames import machine_names
from variantbuild.types import JSONValue
from variantbuild.values import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class Result:
    """The result for one target: a wheel, or the error."""

    target: str | None
    wheel: Path | None
    seconds: float
    error: VariantBuildError | None = None
    messages: tuple[str, ...] = ()


def configure_parser(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of `build`."""
    parser.add_argument(
        "source", nargs="?", default=".", metavar="SRC", help="source tree or sdist (.)"
    )
    parser.add_argument(
        "-o", "--outdir", default="dist", metavar="DIR", help="output directory (dist)"
    )
    parser.add_argument(
        "--target",
        action="append",
        dest="targets",
        default=[],
        metavar="T",
        help="a variant, such as v3; may be repeated",
    )
    parser.add_argument(
        "--bundle",
        metavar="LEVELS",
        help="one wheel with a copy of each module per level, such as v1,v3,v4",
    )
    parser.add_argument(
        "--no-isolation",
        action="store_true",
        help="build in the current environment instead of a fresh one",
    )
    parser.add_argument("-v", "--verbose", action="store_true", help="show the output of the build")
    add_settings_options(parser)
    parser.add_argument("--json", action="store_true", help="machine-readable output")


def execute(args: argparse.Namespace, env: Mapping[str, str]) -> int:
    """Build a wheel for each target and print a table of the results."""
    settings = config_settings_of(args)
    check_targets(args.targets)
    if args.bundle is not None:
        settings = _with_bundle(settings, args)
    targets: list[str | None] = list(args.targets) or [None]
    with (
        _source_tree(Path(args.source)) as source,
        output_directory(Path(args.outdir).resolve()) as directory,
    ):
        results = [_build(source, directory, settings, target, args, env) for target in targets]
    if args.json:
        print_json({"version": 1, "wheels": [_describe(result) for result in results]})
    else:
        print(_for_people(results))
    return max((result.error.exit_code for result in results if result.error), default=0)


def _with_bundle(
    settings: Mapping[str, str | list[str]], args: argparse.Namespace
) -> dict[str, str | list[str]]:
    """Return the config-settings with the levels of --bundle; refuse other words on the variant."""
    levels = [part.strip() for part in args.bundle.split(",") if part.strip()]
    if not levels:
        raise ConfigError("--bundle names no level", hint="name levels, as in --bundle v1,v3,v4")
    if args.targets or "variantbuild.bundle" in settings or "variantbuild.target" in settings:
        raise ConfigError(
            "--bundle says what to build, and so does a target or another bundle: keep one of them"
        )
    return {**settings, "variantbuild.bundle": ";".join(levels)}


def _build(
    source: Path,
    destination: Path,
    settings: Mapping[str, str | list[str]],
    target: str | None,
    args: argparse.Namespace,
    env: Mapping[str, str],
) -> Result:
    chosen = dict(settings) if target is None else {**settings, "variantbuild.target": target}
    started = time.monotonic()
    name = target or source.name
    with tempfile.TemporaryDirectory(prefix="variantbuild-") as directory:
        log, recorded = Path(directory, "build.log"), Path(directory, "messages")
        try:
            _check_settings(source, chosen, env)
            with progress(name) as step:
                wheel = build_isolated(
                    source,
                    destination,
                    chosen,
                    isolation=not args.no_isolation,
                    step=step,
                    log=log,
                    messages=recorded,
                    env=env,
                )
        except VariantBuildError as error:
            if isinstance(error, BuildFailedError):
                print(error.log, file=sys.stderr, end="")
            report_error(error)
            seconds = time.monotonic() - started
            return Result(target=target, wheel=None, seconds=seconds, error=error)
        output = log.read_text("utf-8", "replace")
        messages = _warnings(read_messages(recorded))
    if args.verbose:
        print(output, file=sys.stderr, end="")
    for message in () if args.verbose else messages:
        report_message(f"{name}: {message}", "warning")
    return Result(target=target, wheel=wheel, seconds=time.monotonic() - started, messages=messages)


def _check_settings(
    source: Path, settings: Mapping[str, str | list[str]], env: Mapping[str, str]
) -> None:
    """Read the settings, so that a wrong one is reported before an environment is created."""
    host = LocalHost(env=env)
    project = load_project(source, settings, env, machine=machine_names(host))
    if project.config.bundle:
        resolve_levels(project.config, host.platform)


def _warnings(messages: Sequence[Message]) -> tuple[str, ...]:
    """Return the text of each warning once: several hooks may report the same."""
    return tuple(dict.fromkeys(each.text for each in messages if each.kind == "warning"))


@contextmanager
def _source_tree(source: Path) -> Iterator[Path]:
    """Yield the tree at `source`, unpacked first if it is an sdist."""
    if source.is_dir():
        yield source.resolve()
        return
    if not source.is_file():
        raise ConfigError(f"{source} does not exist", hint="name a source tree or an sdist")
    with tempfile.TemporaryDirectory(prefix="variantbuild-") as directory:
        try:
            with tarfile.open(source) as archive:
                archive.extractall(directory, filter="data")
        except (tarfile.TarError, OSError, EOFError) as error:
            reason = str(error).partition("\n")[0].rstrip(":")
            raise ConfigError(f"{source} cannot be read as an sdist: {reason}") from None
        trees = [path for path in Path(directory).iterdir() if (path / "pyproject.toml").is_file()]
        if len(trees) != 1:
            raise ConfigError(
                f"{source} is not an sdist: it does not contain one directory with a pyproject.toml"
            )
        yield trees[0]


def _describe(result: Result) -> JSONValue:
    return {
        "target": result.target,
        "path": None if result.wheel is None else str(result.wheel),
        "size": None if result.wheel is None else result.wheel.stat().st_size,
        "seconds": round(result.seconds, 3),
        "messages": list(result.messages),
        "error": None if result.error is None else str(result.error),
    }


def _for_people(results: Sequence[Result]) -> str:
    rows = []
    for result in results:
        if result.wheel is None:
            rows.append(
                (
                    result.target or "-",
                    paint("failed", "red"),
                    f"{result.seconds:.1f} s",
                    "see above",
                )
            )
            continue
        size = f"{result.wheel.stat().st_size / 1024:.0f} KiB"
        rows.append(
            (result.target or "-", size, f"{result.seconds:.1f} s", shown_path(result.wheel))
        )
    return table([("target", "size", "time", "wheel"), *rows], names={3})
