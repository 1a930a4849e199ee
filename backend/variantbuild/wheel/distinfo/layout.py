"""Which folders a wheel has, and what may lie in them.

Source: PEP 427 (one dist-info, one .data folder with known schemes), PEP 610 (direct_url.json is
the installer's) and the entry points specification.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from variantbuild.wheel.archive.names import check_tree
from variantbuild.wheel.filename import WheelFileName, normal_name, normal_version
from variantbuild.wheel.unsound import UnsoundWheelError

_SCHEMES = frozenset({"purelib", "platlib", "headers", "scripts", "data"})
#: Members of dist-info that only an installer may write.
_OF_INSTALLERS = ("direct_url.json",)

_SECTION = r"\[([^][]+)\]"
#: What some readers take for the end of a line and others do not.
_LINE_ENDS = r"[\x00-\x08\x0b-\x0c\x0e-\x1f\x7f\x85\u2028\u2029]|\r(?!\n)"
_OF_SCRIPTS = ("console_scripts", "gui_scripts")
_DRIVE = r"[A-Za-z]:"
_REFERENCE = r"[^\W\d][\w.]*\s*:\s*[^\W\d][\w.]*(?:\s*\[[^\]]*\])?"


class Layout(NamedTuple):
    """The names of the dist-info and the .data folder, without a slash; data None where absent."""

    dist_info: str
    data: str | None


def find_layout(names: Sequence[str], file_name: WheelFileName) -> Layout:
    """Find the two folders that carry name and version among member `names`.

    Raises UnsoundWheelError for none or several dist-info folders (case ignored, as file systems
    may), ones that are not this wheel's, foreign .data folders, unknown schemes in it, and
    siblings that a careless prefix would take along.
    """
    tops = {name.partition("/")[0]: name for name in reversed(names)}
    infos = [top for top in tops if _fold(top).endswith(".dist-info")]
    datas = [top for top in tops if _fold(top).endswith(".data")]
    if not infos:
        raise UnsoundWheelError("it has no dist-info folder")
    if len(infos) > 1:
        raise UnsoundWheelError(f"it has the dist-info folders {' and '.join(sorted(infos)[:2])}")
    for top in (*infos, *datas):
        _check_folder(top, tops[top], file_name)
    if len(datas) > 1:
        raise UnsoundWheelError("it has two .data folders", member=tops[datas[1]])
    layout = Layout(dist_info=infos[0], data=datas[0] if datas else None)
    if layout.data is not None:
        _check_data(names, layout.data)
    _check_siblings(tops, (*infos, *datas))
    return layout


def _fold(name: str) -> str:
    """Return what file systems that ignore case, or dots and spaces at the end, make of `name`."""
    if name.isascii():
        return name.rstrip(". ").lower()
    import unicodedata

    return unicodedata.normalize("NFC", name.rstrip(". ").casefold())


def _check_folder(top: str, example: str, file_name: WheelFileName) -> None:
    stem, _, kind = top.rpartition(".")
    name, _, version = stem.rpartition("-")
    if top != example.partition("/")[0] or "/" not in example:
        raise UnsoundWheelError("it is a file where a folder is expected", member=example)
    agrees = (
        kind in ("dist-info", "data")
        and normal_name(name) == normal_name(file_name.name)
        and _same_version(version, file_name.version)
    )
    if not agrees:
        raise UnsoundWheelError(
            f"its folder {top!r} is not that of the file's name", member=example
        )


def _same_version(found: str, expected: str) -> bool:
    try:
        return normal_version(found) == normal_version(expected)
    except UnsoundWheelError:
        return False


def _check_siblings(tops: dict[str, str], folders: tuple[str, ...]) -> None:
    for top, example in tops.items():
        for folder in folders:
            if top != folder and _fold(top).startswith(_fold(folder)):
                raise UnsoundWheelError(
                    f"it lies beside {folder!r} under a name alike", member=example
                )


def _check_data(names: Sequence[str], folder: str) -> None:
    """Refuse unknown parts of the .data `folder`, and what it would install where it must not.

    That is a second dist-info, another drive, and the place of another member: purelib and platlib
    come to lie where the members outside of the folder do.
    """
    installed: list[str] = []
    for name in names:
        top, _, rest = name.partition("/")
        if top != folder:
            installed.append(name)
            continue
        scheme, slash, inside = rest.partition("/")
        if rest and (not slash or scheme not in _SCHEMES):
            raise UnsoundWheelError("it lies in no known part of the .data folder", member=name)
        if re.match(_DRIVE, inside):
            raise UnsoundWheelError("its name in the .data folder has a drive letter", member=name)
        if inside and scheme in ("purelib", "platlib"):
            if _fold(inside.partition("/")[0]).endswith(".dist-info"):
                raise UnsoundWheelError("it brings a second dist-info folder", member=name)
            installed.append(inside)
    try:
        check_tree([name for name in installed if name[-1] != "/"])
    except UnsoundWheelError as clash:
        raise UnsoundWheelError(
            "what the .data folder installs falls on another member", member=clash.member
        ) from None


def check_dist_info(names: Iterable[str], dist_info: str) -> None:
    """Refuse members of `dist_info` that are an installer's to write, or twice there by case."""
    inside = f"{dist_info}/"
    seen: set[str] = set()
    for name in names:
        if not name.startswith(inside):
            continue
        folded = _fold(name[len(inside) :])
        if folded in _OF_INSTALLERS:
            raise UnsoundWheelError("only an installer may write it", member=name)
        if folded in seen:
            raise UnsoundWheelError("it stands in dist-info twice, case aside", member=name)
        seen.add(folded)


def check_entry_points(text: str, member: str) -> None:
    """Refuse scripts of entry_points.txt that would be written outside of the scripts folder.

    Raises UnsoundWheelError for a script name with a path in it, for a reference that is no
    `module:object`, which installers would paste into a program, and for what importlib.metadata
    and ConfigParser read differently.
    """
    if re.search(_LINE_ENDS, text):
        raise UnsoundWheelError("it holds a control character", member=member)
    section = ""
    for raw in text.splitlines():
        line = raw.strip()
        # To importlib.metadata a line that begins with a semicolon is no comment.
        if not line or line[0] == "#" or (line[0] == ";" and "=" not in line):
            continue
        if line[0] == "[":
            header = re.fullmatch(_SECTION, line)
            if header is None:
                raise UnsoundWheelError(f"its section {line[:80]!r} is malformed", member=member)
            section = header[1].strip()
        # ConfigParser copies the entries of [DEFAULT] into every section.
        elif section in _OF_SCRIPTS or section.lower() == "default":
            _check_script(line, member)


def _check_script(line: str, member: str) -> None:
    script, _, reference = (part.strip() for part in line.partition("="))
    if not script or script in (".", "..") or re.search(r"[/\\\x00-\x1f\x7f:]", script):
        raise UnsoundWheelError(f"its script name {script[:80]!r} escapes", member=member)
    if re.fullmatch(_REFERENCE, reference) is None:
        raise UnsoundWheelError(
            f"its script {script[:80]!r} refers to {reference[:80]!r}, no module:object",
            member=member,
        )
