"""The files of a wheel that are exempt from its audit: by its own record, or by the user."""

from __future__ import annotations

import glob
from collections.abc import Mapping, Sequence

from variantbuild.audit.exempt import exempted
from variantbuild.audit.report import AuditReport
from variantbuild.errors import WheelError
from variantbuild.stamp import SBOM_MEMBER
from variantbuild.stamp.sbom import (
    EXEMPT,
    parse_provenance,
    refresh_provenance,
    render_audited,
)
from variantbuild.wheel.exemption import Exemptions, matching_pattern
from variantbuild.wheel.reader import Wheel
from variantbuild.wheel.rewrite.edit import NewMember
from variantbuild.wheel.verify import Inventory

#: More than any SBOM has, in bytes.
_LARGEST_RECORD = 64 << 20


def read_document(wheel: Wheel) -> bytes | None:
    """Return the CycloneDX document of the wheel's own record; None without one."""
    places = ((each, *each.name.partition("/")) for each in wheel.members)
    found = [
        each for each, top, _, rest in places if top.endswith(".dist-info") and rest == SBOM_MEMBER
    ]
    return wheel.read(found[0], limit=_LARGEST_RECORD) if found else None


def read_record(wheel: Wheel) -> Mapping[str, str]:
    """Return the properties of the wheel's own record; none without one.

    Raises WheelError for a record that cannot be read.
    """
    document = read_document(wheel)
    return {} if document is None else parse_provenance(document)


def recorded_exemptions(record: Mapping[str, str]) -> tuple[str, ...]:
    """Return patterns for exactly the files that `record` names as code for another machine."""
    return tuple(_pattern(key.removeprefix(EXEMPT)) for key in record if key.startswith(EXEMPT))


def exemptions(patterns: Sequence[str] = ()) -> Exemptions:
    """Return the exemptions for `verify_wheel`: `patterns`, and what a wheel's own record names.

    A record that cannot be read exempts nothing.
    """

    def find(wheel: Wheel) -> tuple[str, ...]:
        try:
            return (*patterns, *recorded_exemptions(read_record(wheel)))
        except WheelError:
            return tuple(patterns)

    return find


def refreshed_record(
    wheel: Wheel, inventory: Inventory, report: AuditReport
) -> tuple[NewMember, ...]:
    """Return the wheel's record with the audit `report`; without one, as `record_exempt`."""
    document = read_document(wheel)
    if document is None:
        return record_exempt(wheel, inventory, report)
    return (NewMember(path=SBOM_MEMBER, data=refresh_provenance(document, report)),)


def record_exempt(wheel: Wheel, inventory: Inventory, report: AuditReport) -> tuple[NewMember, ...]:
    """Return the record of the exempt files in `report`; nothing if all are recorded already."""
    known = recorded_exemptions(read_record(wheel))
    if all(matching_pattern(each.path, known) for each in exempted(report)):
        return ()
    if f"{inventory.dist_info}/{SBOM_MEMBER}" in wheel:
        return refreshed_record(wheel, inventory, report)
    data = render_audited(name=inventory.name, version=inventory.version, report=report)
    return (NewMember(path=SBOM_MEMBER, data=data),)


def _pattern(place: str) -> str:
    # The record writes `*` for the version in the name of the data directory.
    start = "*.data/" if place.startswith("*.data/") else ""
    return start + glob.escape(place.removeprefix(start))
