"""Which folders a wheel has, and what may lie in them.

Source: PEP 427 (one dist-info, one .data folder with known schemes), PEP 610 (direct_url.json is
the installer's) and the entry points specification.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from variantbuild.wheel.errors import UnsoundWheelError
from variantbuild.wheel.filename import WheelFileName, normal_name, normal_version

_SCHEMES = frozenset({"purelib", "platlib", "headers", "scripts", "data"})
#: Members of dist-info that only an installer may write.
_OF_INSTALLERS = ("direct_url.json",)

_SECTION = re.compile(r"\[([^]]*)\]")
_REFERENCE = re.compile(r"[^\W\d][\w.]*\s*:\s*[^\W\d][\w.]*(?:\s*\[[^\]]*\])?")


@dataclass(frozen=True, kw_only=True, slots=True)
class Layout:
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
    infos = [top for top in tops if top.lower().endswith(".dist-info")]
    datas = [top for top in tops if top.lower().endswith(".data")]
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
            if top != folder and top.lower().startswith(folder.lower()):
                raise UnsoundWheelError(
                    f"it lies beside {folder!r} under a name alike", member=example
                )


def _check_data(names: Iterable[str], folder: str) -> None:
    """Refuse unknown parts of the .data `folder`, and a second dist-info that it would install."""
    for name in names:
        top, _, rest = name.partition("/")
        if top != folder or not rest:
            continue
        scheme, slash, inside = rest.partition("/")
        if not slash or scheme not in _SCHEMES:
            raise UnsoundWheelError("it lies in no known part of the .data folder", member=name)
        first = inside.partition("/")[0].lower()
        if scheme in ("purelib", "platlib") and first.endswith(".dist-info"):
            raise UnsoundWheelError("it brings a second dist-info folder", member=name)


def check_dist_info(names: Iterable[str], dist_info: str) -> None:
    """Refuse members of `dist_info` that are an installer's to write, or twice there by case."""
    inside = f"{dist_info}/"
    seen: set[str] = set()
    for name in names:
        if not name.startswith(inside):
            continue
        folded = name[len(inside) :].lower()
        if folded in _OF_INSTALLERS:
            raise UnsoundWheelError("only an installer may write it", member=name)
        if folded in seen:
            raise UnsoundWheelError("it stands in dist-info twice, case aside", member=name)
        seen.add(folded)


def check_entry_points(text: str, member: str) -> None:
    """Refuse scripts of entry_points.txt that would be written outside of the scripts folder.

    Raises UnsoundWheelError for a script name with a path in it and for a reference that is no
    `module:object`, which installers would paste into a program.
    """
    section = ""
    for raw in text.splitlines():
        line = raw.strip()
        if not line or line[0] in "#;":
            continue
        header = _SECTION.fullmatch(line)
        if header is not None:
            section = header[1].strip()
        elif section in ("console_scripts", "gui_scripts"):
            script, _, reference = (part.strip() for part in line.partition("="))
            if not script or script in (".", "..") or re.search(r"[/\\\x00-\x1f\x7f:]", script):
                raise UnsoundWheelError(f"its script name {script[:80]!r} escapes", member=member)
            if _REFERENCE.fullmatch(reference) is None:
                raise UnsoundWheelError(
                    f"its script {script[:80]!r} refers to {reference[:80]!r}, no module:object",
                    member=member,
                )
