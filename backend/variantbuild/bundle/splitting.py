"""Takes a bundle apart: one wheel per level again, labelled as before."""

from __future__ import annotations

import json
import posixpath
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import cast

from variantbuild.audit import AuditReport, audit_open_wheel
from variantbuild.audit.copies import Copies
from variantbuild.binary.choosers import Chooser
from variantbuild.bundle.cpuquestions import Demand
from variantbuild.bundle.finished import copy_for, levels_of, read_copies
from variantbuild.errors import BundleError
from variantbuild.host.staging import is_same_file, publish, staging_directory
from variantbuild.isa.levels import baseline
from variantbuild.stamp import SBOM_MEMBER, name_stamp, plan_stamp
from variantbuild.stamp.declared import check_declared, read_declared, single_architecture
from variantbuild.stamp.exemptions import read_document
from variantbuild.stamp.sbom import (
    audited_properties,
    parse_provenance,
    property_name,
    render_document,
)
from variantbuild.types import JSONValue
from variantbuild.variant import Variant
from variantbuild.wheel import (
    Edit,
    Inventory,
    NewMember,
    Wheel,
    apply_edit,
    open_wheel,
    plan_edit,
    verify_wheel,
)
from variantbuild.wheel.machinecode import read_machine_code


def split_bundle(path: Path, destination: Path) -> tuple[Path, ...]:
    """Write the wheel of each level of the bundle at `path`, the baseline first; return the paths.

    A level with the code of a lower one in a module gets that. Debug information that the bundle
    does not have is not restored. Raises BundleError for a wheel that is not a bundle.
    """
    with open_wheel(path) as wheel, staging_directory(destination) as staging:
        inventory = verify_wheel(wheel)
        declared = read_declared(inventory)
        check_declared(declared)
        copies = read_copies(wheel)
        arch = single_architecture(declared)
        record = read_document(wheel)
        drafts = [
            _split(wheel, inventory, copies, demand, record, staging, arch)
            for demand in levels_of(copies, arch)
        ]
        for draft in drafts:
            if is_same_file(destination / draft.name, path):
                raise BundleError(
                    f"{str(path)!r} would be replaced with the baseline of the same name",
                    hint="name another directory with -o",
                )
        return tuple(publish(draft, destination) for draft in drafts)


def _split(
    wheel: Wheel,
    inventory: Inventory,
    copies: Copies,
    demand: Demand,
    record: bytes | None,
    staging: Path,
    arch: str,
) -> Path:
    """Write the wheel of one level to a directory of its own in `staging`."""
    members: dict[str, bytes] = {}
    gone: set[str] = set()
    for name, chooser in copies.choosers.items():
        gone.update(_copied(name, chooser))
        for target, source in _chosen(name, chooser, demand, arch):
            members[target] = bytes(read_machine_code(wheel, wheel.member(source)))
    names = {f"{inventory.dist_info}/{SBOM_MEMBER}", *(gone - members.keys())}
    edit = Edit(members=members, remove=frozenset(names & inventory.by_name.keys()))
    place = staging / demand.label
    place.mkdir()
    plain = apply_edit(wheel, plan_edit(inventory, edit), place)
    if demand.label == baseline(arch):
        return plain
    return _stamp(plain, Variant(arch=arch, cpu=demand.label), record)


def _copied(name: str, chooser: Chooser) -> Iterator[str]:
    """Yield the members that are there for the chooser alone."""
    lowest = {_beside(name, each) for each in chooser.copies[-1].libraries}
    for copy in chooser.copies:
        for file in (copy.file, *copy.libraries):
            if _beside(name, file) not in lowest:
                yield _beside(name, file)


def _chosen(name: str, chooser: Chooser, demand: Demand, arch: str) -> Iterator[tuple[str, str]]:
    """Yield (member of the level's wheel, copy) of a module and of the libraries with it."""
    copy = copy_for(chooser, demand, arch)
    yield name, _beside(name, copy.file)
    labels = sorted((each.label for each in chooser.copies), key=len, reverse=True)
    for library in copy.libraries:
        place = _beside(name, library)
        suffix = next((f".{each}" for each in labels if place.endswith(f".{each}")), "")
        yield place.removesuffix(suffix), place


def _beside(name: str, file: str) -> str:
    return posixpath.normpath(posixpath.join(posixpath.dirname(name), file))


def _stamp(plain: Path, variant: Variant, record: bytes | None) -> Path:
    with open_wheel(plain) as wheel:
        inventory = verify_wheel(wheel)
        stamp = name_stamp(inventory, "set", variant.local_version, variant.platform_suffix)
        add: tuple[NewMember, ...] = ()
        if record is not None:
            version = plan_stamp(inventory, stamp).version
            data = _level_record(record, inventory.name, version, variant, audit_open_wheel(wheel))
            add = (NewMember(path=SBOM_MEMBER, data=data),)
        return apply_edit(wheel, plan_stamp(inventory, stamp, add=add), plain.parent, consume=True)


def _level_record(
    record: bytes, name: str, version: str, variant: Variant, report: AuditReport
) -> bytes:
    """Return the document of one level, from what the bundle's says of it."""
    properties = [*_level_properties(parse_provenance(record), variant)]
    document = cast("dict[str, JSONValue]", json.loads(record))
    listed = document.get("components")
    entries = listed if isinstance(listed, list) else []
    components = [each for each in entries if isinstance(each, Mapping)]
    audited = audited_properties(report, variant)
    return render_document(name, version, [*properties, *audited], components)


def _level_properties(recorded: Mapping[str, str], variant: Variant) -> Iterator[tuple[str, str]]:
    yield property_name("declared", "variant"), str(variant)
    yield property_name("declared", "architecture"), variant.arch
    for known in ("declared", "probed"):
        prefix = f"variantbuild:{known}:level:{variant.cpu}:"
        for key, value in recorded.items():
            rest = key.removeprefix(prefix)
            if key != rest and rest not in ("variant", "architecture"):
                yield f"variantbuild:{known}:{rest}", value
