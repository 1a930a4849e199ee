"""Plans an edit of a wheel: new name, renamed and changed members.

Pure: computes what to write from a verified inventory and the requested changes.
"""

from __future__ import annotations

import io
import time
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import NamedTuple

from variantbuild.errors import WheelError
from variantbuild.wheel.archive.names import MAX_NAME
from variantbuild.wheel.distinfo.headers import HeaderLine, parse_headers
from variantbuild.wheel.distinfo.metadata import tags_of
from variantbuild.wheel.distinfo.record import hash_of, render_record, rows_of
from variantbuild.wheel.filename import (
    MAX_FILE_NAME,
    WheelFileName,
    is_public_version,
    normal_version,
)
from variantbuild.wheel.verify import Inventory


class NewMember(NamedTuple):
    """A member to add to the dist-info directory: `path` within it, such as `sboms/x.cdx.json`."""

    path: str
    data: bytes


class Edit(NamedTuple):
    """The requested changes; None and empty values change nothing.

    `version` is the complete new version; `file_platforms` are the platform tags of the file name,
    `wheel_platforms` those of WHEEL: with more of them than in the file name, the wheel is a
    hybrid. `metadata` is the new content of METADATA, before the version is inserted. `add`
    replaces members of the same path; `members` are contents by full name, of new members and of
    old ones, outside of dist-info; `remove` names members in full. `epoch` is SOURCE_DATE_EPOCH in
    seconds, the time of new members; without it, they get that of RECORD.
    """

    version: str | None = None
    file_platforms: tuple[str, ...] | None = None
    wheel_platforms: tuple[str, ...] | None = None
    metadata: bytes | None = None
    add: tuple[NewMember, ...] = ()
    members: Mapping[str, bytes] = MappingProxyType({})
    remove: frozenset[str] = frozenset()
    epoch: int | None = None


class Plan(NamedTuple):
    """The planned edit, which `apply_edit` writes.

    `renames` maps old member names to new ones, `contents` old names to new bytes; `added` are
    written before RECORD with the times of `stamp` (DOS date and time); `notes` tell the user what
    was lost.
    """

    file_name: WheelFileName
    version: str
    renames: Mapping[str, str]
    contents: Mapping[str, bytes]
    added: Mapping[str, bytes]
    removed: frozenset[str]
    record_name: str
    stamp: int
    notes: tuple[str, ...]

    @property
    def touched(self) -> frozenset[str]:
        """The members that change, including RECORD."""
        return frozenset((*self.renames, *self.contents, *self.removed, self.record_name))


def plan_edit(inventory: Inventory, edit: Edit) -> Plan:
    """Plan the edit of the wheel of `inventory`.

    Raises WheelError for a version that is not valid (PEP 440), a file name over 255 bytes and a
    member name over 4095.
    """
    version = inventory.version if edit.version is None else normal_version(edit.version)
    directory = inventory.dist_info.removesuffix(".dist-info").rpartition("-")[2]
    renamed = version != inventory.version or is_public_version(directory, version)
    contents = _changed_headers(inventory, edit, version)
    removed = {*edit.remove, *inventory.signatures}
    added: dict[str, bytes] = {}
    known = inventory.by_name
    for new in edit.add:
        old = f"{inventory.dist_info}/{new.path}"
        (contents if old in known and old not in removed else added)[old] = new.data
    renames = _renames(inventory, version) if renamed else {}
    stem = renames.get(f"{inventory.dist_info}/RECORD", f"{inventory.dist_info}/RECORD")
    directory = stem.removesuffix("RECORD")
    added = {directory + name.partition("/")[2]: data for name, data in added.items()}
    for name, data in edit.members.items():
        (contents if name in known and name not in removed else added)[name] = data
    plan = Plan(
        file_name=_file_name(inventory, edit, version if renamed else None),
        version=version,
        renames=renames,
        contents=contents,
        added=added,
        removed=frozenset(removed & known.keys()),
        record_name=f"{inventory.dist_info}/RECORD",
        stamp=_stamp(inventory, edit.epoch),
        notes=tuple(
            f"the signature {name} is removed: it is no longer valid"
            for name in inventory.signatures
        ),
    )
    if not (renames or contents or added or plan.removed):
        return plan
    return plan._replace(contents={**contents, plan.record_name: _record(inventory, plan)})


def _changed_headers(inventory: Inventory, edit: Edit, version: str) -> dict[str, bytes]:
    """Return the new bytes of METADATA and WHEEL, as far as they change, by member."""
    pairs = (
        (inventory.metadata, _metadata(inventory, edit, version)),
        (inventory.wheel, _wheel(inventory, edit)),
    )
    return {old.member: new for old, new in pairs if new != old.data}


def _file_name(inventory: Inventory, edit: Edit, version: str | None) -> WheelFileName:
    name = inventory.file_name
    if version is not None:
        name = name._replace(version=version)
    if edit.file_platforms is not None:
        name = name._replace(platforms=edit.file_platforms)
    if len(str(name)) > MAX_FILE_NAME:
        raise WheelError(
            f"the new file name {str(name)!r} would be longer than {MAX_FILE_NAME} bytes"
        )
    return WheelFileName.parse(str(name))


def _metadata(inventory: Inventory, edit: Edit, version: str) -> bytes:
    headers = inventory.metadata
    if edit.metadata is not None:
        headers = parse_headers(edit.metadata, headers.member)
    if version == inventory.version:
        return headers.data
    return headers.replaced({headers.one("Version"): version.encode("ascii")})


def _wheel(inventory: Inventory, edit: Edit) -> bytes:
    """Return WHEEL with the Tag lines of `edit.wheel_platforms`; other lines are unchanged."""
    wheel, platforms = inventory.wheel, edit.wheel_platforms
    if platforms is None:
        return wheel.data
    lines = wheel.all("Tag")
    wanted = {platform.lower() for platform in platforms}
    drop: dict[HeaderLine, bytes | None] = {}
    present: set[str] = set()
    prefixes: dict[str, None] = {}
    for line in lines:
        tags = tags_of(line, wheel.member)
        prefixes.update((tag.rpartition("-")[0], None) for tag in tags)
        if wanted.issuperset(tag.rpartition("-")[2] for tag in tags):
            present.update(tags)
        else:
            drop[line] = None
    tags = tuple(f"{prefix}-{platform}" for prefix in prefixes for platform in platforms)
    fresh = [f"Tag: {tag}".encode("ascii") for tag in tags if tag.lower() not in present]
    return wheel.replaced(drop, insert=fresh, after=lines[-1])


def _renames(inventory: Inventory, version: str) -> dict[str, str]:
    directories = {}
    for directory in (inventory.dist_info, inventory.data_directory):
        if directory is not None:
            stem, _, kind = directory.rpartition(".")
            directories[directory] = f"{stem.rpartition('-')[0]}-{version}.{kind}"
    renames = {}
    prefixes = tuple(f"{directory}/" for directory in directories)
    for name in inventory.by_name:
        if name.startswith(prefixes):
            top, slash, rest = name.partition("/")
            renames[name] = directories[top] + slash + rest
            if len(renames[name].encode()) > MAX_NAME:
                raise WheelError(f"the new name of a member would be longer than {MAX_NAME} bytes")
    return renames


def _stamp(inventory: Inventory, epoch: int | None) -> int:
    """Return the DOS time and date of new members (time in the low 16 bits), UTC.

    ZIP timestamps range from 1980 to 2107; an epoch outside of that is clamped.
    """
    if epoch is None:
        return inventory.by_name[f"{inventory.dist_info}/RECORD"].stamp
    year, month, day, hour, minute, second = time.gmtime(min(max(epoch, 315532800), 4354819198))[:6]
    date = (year - 1980) << 9 | month << 5 | day
    return date << 16 | hour << 11 | minute << 5 | second // 2


def _record(inventory: Inventory, plan: Plan) -> bytes:
    """Return the new RECORD: unchanged rows are kept, the others rewritten in place.

    A row is a line, as member names cannot contain line endings.
    """
    record, touched = inventory.record, plan.touched
    directories = {name.partition("/")[0].replace('"', '""').encode() for name in touched}
    fresh = io.BytesIO()
    for chunk in record.chunks():
        if not any(directory in chunk for directory in directories):
            fresh.write(chunk)
            continue
        lines = chunk.splitlines(keepends=True)
        for line, (name, digest, _) in zip(lines, rows_of(chunk), strict=True):
            if name not in touched:
                fresh.write(line)
            elif name not in plan.removed:
                rows = _rows(plan, name, digest, inventory.by_name[name].size)
                fresh.write(render_record(rows, record.newline))
    return fresh.getvalue()


def _rows(plan: Plan, name: str, digest: str, size: int) -> Iterator[tuple[str, str, int | str]]:
    """Yield the new row of member `name`, and before RECORD's own those of added members."""
    new_name = plan.renames.get(name, name)
    if name == plan.record_name:
        for added, data in plan.added.items():
            yield added, hash_of(data), len(data)
        yield new_name, "", ""
    elif name in plan.contents:
        data = plan.contents[name]
        yield new_name, hash_of(data), len(data)
    else:
        yield new_name, digest, size if digest else ""
