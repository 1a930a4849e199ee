"""Reads TOML files from outside: every mistake in them is an error that names the file.

Python's parser takes time and memory that grow with the square of a key's parts, and recurses into
nested values, so both are limited here.
"""

from __future__ import annotations

import codecs
import os
import re
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import cast

from variantbuild.errors import ConfigError
from variantbuild.types import TOMLValue

#: The largest pyproject.toml known has 200 kB.
_MOST_BYTES = 4 << 20
#: Parts of a dotted key, and levels of nested values.
_MOST_LEVELS = 64
_QUOTED = r'"(?:[^"\\\n]|\\.)*"|\'[^\'\n]*\''
#: Where a key may stand: at the beginning of a line, in a heading, in an inline table.
_BEFORE_KEY = r"(?:^[ \t]*(?:\[[ \t]*){0,2}|[{,][ \t]*)"
_LONG_KEY = re.compile(
    rf"{_BEFORE_KEY}(?:(?:{_QUOTED}|[\w-]+)[ \t]*\.[ \t]*){{{_MOST_LEVELS}}}", re.MULTILINE
)


def read_toml(path: Path, *, required: bool) -> Mapping[str, TOMLValue]:
    """Return the contents of the TOML file at `path`.

    A file that is not required may be missing: the result is then empty. A file in a home that is
    not a directory (`/dev/null`) or that belongs to another user counts as missing. Raises
    ConfigError.
    """
    try:
        data = _read_regular(path)
    except FileNotFoundError:
        if not required:
            return {}
        raise ConfigError(
            f"{path.parent} contains no pyproject.toml",
            hint="name the directory of a project whose [build-system] table has "
            'build-backend = "variantbuild"',
        ) from None
    except NotADirectoryError:
        if not required:
            return {}
        raise ConfigError(
            f"{path.parent} is not a directory",
            hint="name the directory that contains pyproject.toml",
        ) from None
    except OSError as error:
        if not required and not os.access(path.parent, os.X_OK):
            return {}
        raise ConfigError(f"{path} cannot be read: {os.strerror(error.errno or 0)}") from None
    return _parse(data, path)


def _read_regular(path: Path) -> bytes:
    # A FIFO would block, and a device may never end.
    descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))
    with os.fdopen(descriptor, "rb") as stream:
        if not path.is_file():
            raise ConfigError(f"{path} is not a regular file")
        data = stream.read(_MOST_BYTES + 1)
    if len(data) > _MOST_BYTES:
        raise ConfigError(f"{path} is larger than {_MOST_BYTES >> 20} MiB")
    return data


def _parse(data: bytes, path: Path) -> Mapping[str, TOMLValue]:
    if sys.version_info >= (3, 11):
        import tomllib
    else:
        import tomli as tomllib
    try:
        text = data.decode("utf-8")
        if _LONG_KEY.search(text):
            raise _too_deep(path)
        table = cast("Mapping[str, TOMLValue]", tomllib.loads(text))
    except RecursionError:
        raise _too_deep(path) from None
    except ValueError as error:  # also UnicodeDecodeError, and integers of too many digits
        if mark := _byte_order_mark(data):
            raise ConfigError(
                f"{path} starts with a byte order mark ({mark}), which TOML does not allow",
                hint="save it as UTF-8 without a BOM",
            ) from None
        if isinstance(error, UnicodeDecodeError):
            raise ConfigError(
                f"{path} is not valid TOML: byte {error.start} is not UTF-8",
                hint="save it as UTF-8",
            ) from None
        raise ConfigError(f"{path} is not valid TOML: {error}") from None
    _refuse_depth(table, path)
    return table


def _refuse_depth(table: TOMLValue, path: Path) -> None:
    level: list[TOMLValue] = [table]
    for _ in range(_MOST_LEVELS):
        deeper: list[TOMLValue] = []
        for value in level:
            if isinstance(value, Mapping):
                deeper += value.values()
            elif isinstance(value, Sequence) and not isinstance(value, str):
                deeper += value
        if not deeper:
            return
        level = deeper
    raise _too_deep(path)


def _too_deep(path: Path) -> ConfigError:
    return ConfigError(
        f"{path} has values or keys that are nested more than {_MOST_LEVELS} deep",
        hint="write them flatter",
    )


def _byte_order_mark(data: bytes) -> str:
    """Return the encoding that the byte order mark at the start names; '' without one."""
    marks = {codecs.BOM_UTF8: "UTF-8", codecs.BOM_UTF16_LE: "UTF-16", codecs.BOM_UTF16_BE: "UTF-16"}
    return next((name for mark, name in marks.items() if data.startswith(mark)), "")
