"""Which directories a wheel has, and what they may contain.

Source: PEP 427 (one dist-info, one .data directory with known schemes), PEP 610 (direct_url.json is
the installer's) and the entry points specification.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from variantbuild.wheel.archive.names import check_tree, fold_names
from variantbuild.wheel.filename import (
    WheelFileName,
    is_public_version,
    normal_name,
    same_version,
)
from variantbuild.wheel.unsound import UnsoundWheelError

_SCHEMES = frozenset({"purelib", "platlib", "headers", "scripts", "data"})
#: Members of dist-info that only an installer may write.
_OF_INSTALLERS = ("direct_url.json",)

_SECTION = r"\[([^][]+)\]"
#: Characters that end a line for some readers only.
_LINE_ENDS = r"[\x00-\x08\x0b-\x0c\x0e-\x1f\x7f\x85\u2028\u2029]|\r(?!\n)"
_OF_SCRIPTS = ("console_scripts", "gui_scripts")
_DRIVE = r"[A-Za-z]:"
_REFERENCE = r"[^\W\d][\w.]*\s*:\s*[^\W\d][\w.]*(?:\s*\[[^\]]*\])?"


class Layout(NamedTuple):
    """The names of the dist-info and .data directories, without a slash; data is None if absent."""

    dist_info: str
    data: str | None


def find_layout(names: Sequence[str], file_name: WheelFileName) -> Layout:
    """Find the dist-info and .data directories among member `names`.

    Raises UnsoundWheelError for no or several dist-info directories (ignoring case, as file systems
    may), a dist-info directory that is not this wheel's, foreign .data directories, unknown
    schemes, and names that merely begin like those of the two directories.
    """
    tops = {name.partition("/")[0]: name for name in reversed(names)}
    infos = [top for top in tops if _fold(top).endswith(".dist-info")]
    datas = [top for top in tops if _fold(top).endswith(".data")]
    if not infos:
        raise UnsoundWheelError("it has no dist-info directory")
    if len(infos) > 1:
        raise UnsoundWheelError(
            f"it has the dist-info directories {' and '.join(sorted(infos)[:2])}"
        )
    for top in (*infos, *datas):
        _check_directory(top, tops[top], file_name)
    if len(datas) > 1:
        raise UnsoundWheelError("it has two .data directories", member=tops[datas[1]])
    layout = Layout(dist_info=infos[0], data=datas[0] if datas else None)
    if layout.data is not None:
        _check_data(names, layout.data)
    _check_siblings(tops, (*infos, *datas))
    return layout


def _fold(name: str) -> str:
    """Return `name` as file systems see it that ignore case, or trailing dots and spaces."""
    return fold_names((name,))[0]


def _check_directory(top: str, example: str, file_name: WheelFileName) -> None:
    stem, _, kind = top.rpartition(".")
    name, _, version = stem.rpartition("-")
    if top != example.partition("/")[0] or "/" not in example:
        raise UnsoundWheelError("it is a file, but a directory is expected", member=example)
    agrees = (
        kind in ("dist-info", "data")
        and normal_name(name) == normal_name(file_name.name)
        and _same_version(version, file_name.version)
    )
    if not agrees and is_public_version(version, file_name.version):
        raise UnsoundWheelError(
            f"its file name has the version {file_name.version!r}, and its directory {top!r} has "
            f"{version!r}",
            member=example,
            hint=f"write the file name's version into the wheel: variantbuild patch -o DIR "
            f"{file_name}",
        )
    if not agrees:
        raise UnsoundWheelError(
            f"its directory {top!r} does not match the file name", member=example
        )


def _same_version(found: str, expected: str) -> bool:
    try:
        return same_version(found, expected)
    except UnsoundWheelError:
        return False


def _check_siblings(tops: dict[str, str], directories: tuple[str, ...]) -> None:
    for top, example in tops.items():
        for directory in directories:
            if top != directory and _fold(top).startswith(_fold(directory)):
                raise UnsoundWheelError(f"its name is too similar to {directory!r}", member=example)


def _check_data(names: Sequence[str], directory: str) -> None:
    """Refuse unknown schemes in the .data `directory`, and what it must not install.

    It must not install a second dist-info, onto another drive, or over another member: purelib and
    platlib are installed into the same directory as the members outside of `directory`.
    """
    installed: list[str] = []
    for name in names:
        top, _, rest = name.partition("/")
        if top != directory:
            installed.append(name)
            continue
        scheme, slash, inside = rest.partition("/")
        if rest and (not slash or scheme not in _SCHEMES):
            raise UnsoundWheelError(
                "it is not in a known scheme of the .data directory", member=name
            )
        if re.match(_DRIVE, inside):
            raise UnsoundWheelError(
                "its name in the .data directory has a drive letter", member=name
            )
        if inside and scheme in ("purelib", "platlib"):
            if _fold(inside.partition("/")[0]).endswith(".dist-info"):
                raise UnsoundWheelError("it adds a second dist-info directory", member=name)
            installed.append(inside)
    try:
        check_tree([name for name in installed if name[-1] != "/"])
    except UnsoundWheelError as clash:
        raise UnsoundWheelError(
            "the .data directory would install it over another member", member=clash.member
        ) from None


def check_dist_info(names: Iterable[str], dist_info: str) -> None:
    """Refuse members that only installers may write."""
    inside = f"{dist_info}/"
    for name in names:
        if name.startswith(inside) and _fold(name[len(inside) :]) in _OF_INSTALLERS:
            raise UnsoundWheelError("only installers may write it", member=name)


def check_entry_points(text: str, member: str) -> None:
    """Refuse scripts of entry_points.txt that would be written outside the scripts directory.

    Raises UnsoundWheelError for a script name with a path in it, for a reference that is not
    `module:object`, which installers would insert into a program, and for lines that
    importlib.metadata and ConfigParser read differently.
    """
    if re.search(_LINE_ENDS, text):
        raise UnsoundWheelError("it contains a control character", member=member)
    section = ""
    last_indent: int | None = None  # of the entry before, which deeper lines would continue
    for raw in text.splitlines():
        line = raw.strip()
        # importlib.metadata does not treat a line that begins with a semicolon as a comment.
        if not line or line[0] == "#" or (line[0] == ";" and "=" not in line):
            continue
        indent = len(raw) - len(raw.lstrip())
        if last_indent is not None and indent > last_indent:
            raise UnsoundWheelError(
                f"its line {line[:80]!r} is indented and continues the one before", member=member
            )
        if line[0] == "[":
            header = re.fullmatch(_SECTION, line)
            if header is None:
                raise UnsoundWheelError(f"its section {line[:80]!r} is malformed", member=member)
            section, last_indent = header[1].strip(), None
            continue
        if not section or "=" not in line:
            place = "in a section" if "=" in line else "of the form name = value"
            raise UnsoundWheelError(f"its line {line[:80]!r} is not {place}", member=member)
        last_indent = indent
        # ConfigParser copies the entries of [DEFAULT] into every section.
        if section in _OF_SCRIPTS or section.lower() == "default":
            _check_script(line, member)


def _check_script(line: str, member: str) -> None:
    script, _, reference = (part.strip() for part in line.partition("="))
    if not script or script in (".", "..") or re.search(r"[/\\\x00-\x1f\x7f:]", script):
        raise UnsoundWheelError(
            f"its script name {script[:80]!r} would be written outside the scripts directory",
            member=member,
        )
    if re.fullmatch(_REFERENCE, reference) is None:
        raise UnsoundWheelError(
            f"its script {script[:80]!r} refers to {reference[:80]!r}, which is not module:object",
            member=member,
        )
