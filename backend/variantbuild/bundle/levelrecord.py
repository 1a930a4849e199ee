"""The record of a bundle: one CycloneDX document with what is known of each level."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import cast

from variantbuild.audit.report import AuditReport
from variantbuild.bundle.inputs import Inputs
from variantbuild.bundle.methods import Chosen
from variantbuild.stamp.exemptions import read_document
from variantbuild.stamp.sbom import (
    audited_properties,
    parse_provenance,
    property_name,
    render_document,
)
from variantbuild.types import JSONValue

_BASELINE_ONLY = "the wheel had no record of its build"


def render_levels(
    inputs: Inputs, chosen: Chosen, report: AuditReport, given: Mapping[str, bytes]
) -> bytes:
    """Return the document for the bundle of `inputs`, whose files `report` describes.

    `given` are the documents of levels whose wheels have none.
    """
    records = [(each, given.get(each.label) or read_document(each.wheel)) for each in inputs.all]
    properties = [
        (property_name("declared", "bundle"), " ".join(each.label for each in inputs.all)),
        (property_name("declared", "bundle-method"), chosen.method),
        (property_name("declared", "architecture"), inputs.arch),
        *(line for each, record in records for line in _level(each.label, record)),
        *audited_properties(report),
    ]
    components = _components([record for _, record in records])
    name = inputs.baseline.inventory.name
    return render_document(name, inputs.version, properties, components)


def _level(label: str, record: bytes | None) -> Iterator[tuple[str, str]]:
    """Yield what the record of one level declares and probed, with the level in the name."""
    if record is None:
        yield property_name("declared", "level", label), _BASELINE_ONLY
        return
    for key, value in parse_provenance(record).items():
        _, known, rest = (*key.split(":", 2), "", "")[:3]
        if known == "declared":
            yield property_name("declared", "level", label, rest), value
        elif known == "probed":
            yield property_name("probed", "level", label, rest), value


def _components(records: Sequence[bytes | None]) -> list[Mapping[str, JSONValue]]:
    """Return the compilers of all levels, each once."""
    found: dict[str, Mapping[str, JSONValue]] = {}
    for record in records:
        document = cast("dict[str, JSONValue]", {} if record is None else json.loads(record))
        listed = document.get("components")
        for each in listed if isinstance(listed, list) else []:
            if isinstance(each, Mapping):
                found.setdefault(str(each.get("bom-ref")), each)
    return list(found.values())
