"""The command line: one module per command, each with `configure_parser` and `execute`."""

from __future__ import annotations

import argparse
import importlib
import os
import sys
from collections.abc import Sequence
from types import ModuleType

from variantbuild.cli.guard import guarded_streams
from variantbuild.errors import VariantBuildError
from variantbuild.host.ending import clean_ending

#: Command name to its one-line summary; the module of the same name is loaded on use only.
COMMANDS: dict[str, str] = {
    "probe": "show what was detected on this machine, and why a target cannot be used",
    "plan": "show what would be built: variant, flags, names",
    "build": "build one wheel, or one per target",
    "stamp": "audit a built wheel and relabel it",
    "unstamp": "restore the public version and the plain tags",
    "patch": "edit the metadata of wheels and update RECORD",
    "verify": "check the integrity of wheels",
    "repair": "graft libraries, then write the policy tag and the variant",
    "bundle": "join wheels for several CPU levels into one",
    "cache": "show or clear the build cache, refused wheels and build directories",
    "audit": "show what the machine code in a wheel needs",
}


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line on `argv` and return the exit code.

    0 is success, 1 that a check found something, 2 wrong usage or bad input.
    """
    _open_closed_streams()
    arguments = list(sys.argv[1:] if argv is None else argv)
    chosen = next((word for word in arguments if not word.startswith("-")), None)
    args = _parser(chosen).parse_args(arguments)
    module = importlib.import_module(f"variantbuild.cli.{args.command}")
    try:
        with guarded_streams(), clean_ending(os.environ):
            return _execute(module, args)
    except KeyboardInterrupt:
        print("variantbuild: interrupted", file=sys.stderr)
        return 130


def _execute(module: ModuleType, args: argparse.Namespace) -> int:
    """Run the command in `module`; errors become messages and exit codes."""
    try:
        code: int = module.execute(args, os.environ)
        sys.stdout.flush()
    except VariantBuildError as error:
        from variantbuild.cli.terminal import report_error

        report_error(error)
        return error.exit_code
    except BrokenPipeError:
        # The reader of our output is gone (`| head`), which is not an error.
        _discard_output()
        return 141
    except OSError as error:
        from variantbuild.cli.terminal import report_message
        from variantbuild.host.durable import storage_remedy

        where = "output or a temporary file" if error.filename is None else repr(error.filename)
        remedy = storage_remedy(error)
        hint = f"\n  hint: {remedy}" if remedy else ""
        report_message(f"{where} cannot be used: {error.strerror or error}{hint}", "error")
        _discard_output()
        return 2
    return code


def _open_closed_streams() -> None:
    """Open streams that were closed (`>&-`), for which Python has None, on the null device."""
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            nowhere = os.open(os.devnull, os.O_WRONLY)
            setattr(sys, name, os.fdopen(nowhere, "w", encoding="utf-8"))


def _discard_output() -> None:
    """Discard buffered output, which Python would fail to flush again at exit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _parser(chosen: str | None) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="variantbuild",
        description="Build, check and label wheels for a CPU and GPU.",
        allow_abbrev=False,
    )
    parser.add_argument("--version", action=_Version, help="print the version and exit")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    for name, summary in COMMANDS.items():
        sub = commands.add_parser(name, help=summary, description=summary, allow_abbrev=False)
        if name == chosen:
            importlib.import_module(f"variantbuild.cli.{name}").configure_parser(sub)
    return parser


class _Version(argparse.Action):
    def __init__(self, option_strings: Sequence[str], dest: str, help: str | None = None) -> None:
        super().__init__(option_strings, dest, nargs=0, help=help)

    def __call__(
        self,
        parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        values: object,
        option_string: str | None = None,
    ) -> None:
        from importlib.metadata import version

        print(f"variantbuild {version('variantbuild')}")
        parser.exit()
