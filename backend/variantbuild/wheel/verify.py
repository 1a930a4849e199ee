"""All checks of a wheel, in order: names, layout, metadata, RECORD, contents."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from variantbuild.wheel.archive.members import Members, MembersByName
from variantbuild.wheel.archive.names import check_tree
from variantbuild.wheel.archive.zipformat import Member
from variantbuild.wheel.distinfo.headers import Headers, parse_headers
from variantbuild.wheel.distinfo.layout import check_dist_info, check_entry_points, find_layout
from variantbuild.wheel.distinfo.metadata import (
    check_metadata,
    check_wheel,
    wheel_platforms,
    wheel_tags,
)
from variantbuild.wheel.distinfo.record import CHUNKS, SIGNATURES, Chunks, Record
from variantbuild.wheel.distinfo.recordcheck import check_record
from variantbuild.wheel.distinfo.text import decode_text
from variantbuild.wheel.exemption import Exemptions
from variantbuild.wheel.filename import WheelFileName, is_public_version, normal_version
from variantbuild.wheel.reader import Wheel
from variantbuild.wheel.unsound import UnsoundWheelError, naming_wheel

#: Limits in bytes of the members that are read completely. The largest RECORD known has 4 MB.
MAX_RECORD = 256 << 20
MAX_METADATA = 16 << 20
#: Length limit of a row of RECORD in bytes, without the name.
_MAX_ROW = 160
MAX_SMALL = 4 << 20


class Inventory(NamedTuple):
    """The verified contents of a wheel.

    `members` are in the archive's order, directory entries included, and `by_name` the same by
    name; `dist_info` and `data_directory` are names without a slash; `metadata` and `wheel` the
    header blocks of METADATA and WHEEL; `contents_checked` is false if the hashes of contents were
    trusted, not compared.
    """

    path: Path
    file_name: WheelFileName
    members: Members
    by_name: MembersByName
    dist_info: str
    data_directory: str | None
    metadata: Headers
    wheel: Headers
    record: Record
    contents_checked: bool

    @property
    def name(self) -> str:
        """The project's name as METADATA spells it."""
        return self.metadata.one("Name").value

    @property
    def version(self) -> str:
        """The version in PEP 440's normal form."""
        return normal_version(self.metadata.one("Version").value)

    @property
    def tags(self) -> frozenset[str]:
        """The single tags of WHEEL, which include those of the file name."""
        return wheel_tags(self.wheel)

    @property
    def wheel_platforms(self) -> tuple[str, ...]:
        """The platforms of WHEEL's tags, each once, in the order of its lines."""
        return wheel_platforms(self.wheel)

    @property
    def files(self) -> Iterator[Member]:
        """The members that are files."""
        return (member for member in self.members if not member.is_dir)

    @property
    def signatures(self) -> tuple[str, ...]:
        """The names of the members that sign RECORD, which any change invalidates."""
        names = {f"{self.dist_info}/{name}" for name in SIGNATURES}
        return tuple(name for name in self.by_name if name in names)

    @property
    def is_editable(self) -> bool:
        """Return whether the wheel is an editable one, by setuptools' build tag (PEP 660)."""
        return self.file_name.build == "0.editable"


def verify_wheel(
    wheel: Wheel,
    *,
    trust_record: bool = False,
    local_in_name: bool = False,
    exempt: Exemptions | None = None,
    chunks: Chunks = CHUNKS,
) -> Inventory:
    """Check `wheel` against every rule and return its inventory.

    With `local_in_name` the file name may have a local version that the wheel does not have: the
    inventory is that of the wheel without it. `exempt` returns the patterns of files that a wheel
    for any platform may contain although they are machine code. `chunks` divides the work.

    `trust_record` skips only the hashing of contents; METADATA, WHEEL and RECORD are still
    hashed. Raises UnsoundWheelError, which names the wheel, the member and the reason.
    """
    with naming_wheel(wheel.path.name):
        file_name = named = WheelFileName.parse(wheel.path.name)
        names = wheel.members.names
        check_tree(names)
        if local_in_name and f"{file_name.name}-{file_name.version}.dist-info/RECORD" not in wheel:
            file_name = _without_local(wheel, file_name)
        layout = find_layout(names, file_name)
        check_dist_info(names, layout.dist_info)
        record = _read_record(wheel, f"{layout.dist_info}/RECORD", chunk=chunks.record)
        metadata, wheel_headers = _check_headers(wheel, layout.dist_info, named, file_name)
        _check_entry_points(wheel, f"{layout.dist_info}/entry_points.txt")
        _check_directories(wheel)
        _check_no_native(wheel, wheel_headers, exempt)
        if trust_record:
            for each in (metadata, wheel_headers):
                _check_hash(record, each)
        else:
            from variantbuild.wheel.contents import check_contents

            check_contents(wheel, record, large=chunks.large)
    return Inventory(
        path=wheel.path,
        file_name=file_name,
        members=wheel.members,
        by_name=wheel.by_name,
        dist_info=layout.dist_info,
        data_directory=layout.data,
        metadata=metadata,
        wheel=wheel_headers,
        record=record,
        contents_checked=not trust_record,
    )


def _read_record(wheel: Wheel, name: str, *, chunk: int) -> Record:
    data = _read(wheel, name, _record_limit(wheel.members.names))
    return check_record(data, name, wheel.members, wheel.by_name, chunk=chunk)


def _check_no_native(wheel: Wheel, headers: Headers, exempt: Exemptions | None) -> None:
    """Refuse machine code in a wheel for any platform."""
    if any(tag.endswith("-any") for tag in wheel_tags(headers)):
        from variantbuild.wheel.contents import check_no_native

        check_no_native(wheel, () if exempt is None else exempt(wheel))


def _check_headers(
    wheel: Wheel, dist_info: str, named: WheelFileName, file_name: WheelFileName
) -> tuple[Headers, Headers]:
    """Return METADATA and WHEEL; `file_name` is `named` without a local version of its own."""
    members = (f"{dist_info}/METADATA", f"{dist_info}/WHEEL")
    metadata, tags = (parse_headers(_read(wheel, each, MAX_METADATA), each) for each in members)
    # tensorflow-rocm renames the file and edits METADATA, and leaves the directory's name.
    edited = named != file_name and "+" in metadata.one("Version").value
    check_metadata(metadata, named if edited else file_name)
    check_wheel(tags, file_name)
    return metadata, tags


def _without_local(wheel: Wheel, file_name: WheelFileName) -> WheelFileName:
    """Return the name without its local version, where the wheel's directory has none."""
    for name in wheel.members.names:
        stem, dist_info, _ = name.partition(".dist-info/")
        version = stem.rpartition("-")[2]
        if dist_info and is_public_version(version, file_name.version):
            return file_name._replace(version=file_name.version.partition("+")[0])
    return file_name


def _record_limit(names: Sequence[str]) -> int:
    """Return the largest possible size of a RECORD of members `names`, fully quoted and in UTF-8.

    Anything larger has too many rows, and is not inflated.
    """
    return min(MAX_RECORD, sum(map(len, names)) * 8 + (len(names) + 1) * _MAX_ROW)


def _read(wheel: Wheel, name: str, limit: int) -> bytes:
    return wheel.read(wheel.member(name), limit=limit)


def _check_entry_points(wheel: Wheel, name: str) -> None:
    if name not in wheel:
        return
    check_entry_points(decode_text(_read(wheel, name, MAX_SMALL), name), name)


def _check_directories(wheel: Wheel) -> None:
    """Refuse directory entries with contents."""
    for name in wheel.members.names:
        if name[-1] == "/" and wheel.by_name[name].stored_size:
            for _ in wheel.stream(wheel.by_name[name]):
                pass


def _check_hash(record: Record, headers: Headers) -> None:
    """Compare the hash of METADATA or WHEEL with `record`."""
    import hashlib

    from variantbuild.wheel.distinfo.record import render_hash

    wanted = record.dist_info[headers.member]
    algorithm = wanted.partition("=")[0]
    if render_hash(algorithm, hashlib.new(algorithm, headers.data).digest()) != wanted:
        raise UnsoundWheelError("its hash differs from the one in RECORD", member=headers.member)
