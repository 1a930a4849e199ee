"""The provenance of a wheel as a CycloneDX 1.6 document: plan, machine and audit.

    data = render_provenance(name=…, version=…, variant=…, flags=…, compilers=…, facts=…, report=…)
    goes to `*.dist-info/sboms/variantbuild.cdx.json` (PEP 770)

Every property is namespaced by its origin: `variantbuild:declared:…`, `:probed:…`, `:audited:…`.
The same input gives the same bytes: the document has no timestamp, random number or host name, and
of paths outside /usr and /opt only the last part.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Literal, cast

from variantbuild.audit.judge.findings import Finding, evidence_of
from variantbuild.audit.report import AuditReport, FileReport
from variantbuild.errors import VariantError, WheelError
from variantbuild.isa.processor import resolve_processor
from variantbuild.stamp import SBOM_MEMBER
from variantbuild.types import JSONValue
from variantbuild.variant import Variant

_SPACE = "variantbuild"
#: Directories at the beginning of a word, or behind a flag that takes a directory (-I/home/…).
_PRIVATE_PATH = re.compile(r"(?:(?<![\w.])|(?<=-[ILBF]))/(?!usr/|opt/)(?:[^/\s,:=]+/)+")

Known = Literal["declared", "probed", "audited"]

#: Begins the properties that name files which are code for another machine on purpose.
EXEMPT = f"{_SPACE}:audited:exempt:"


def render_relabelled(*, name: str, version: str, variant: Variant, report: AuditReport) -> bytes:
    """Return the document for a finished wheel that is stamped later.

    It has no flags, compilers or machine of the build, which are unknown.
    """
    properties = [
        (property_name("declared", "variant"), str(variant)),
        (property_name("declared", "architecture"), variant.arch),
        *audited_properties(report, variant),
    ]
    return render_document(name, version, properties, [])


def render_audited(*, name: str, version: str, report: AuditReport) -> bytes:
    """Return the document for a wheel without a stamp: what the audit found in its files."""
    return render_document(name, version, [*audited_properties(report)], [])


def render_document(
    name: str,
    version: str,
    properties: Sequence[tuple[str, str]],
    components: Sequence[Mapping[str, JSONValue]],
) -> bytes:
    """Return a CycloneDX document with `properties` of the wheel and its `components`."""
    document: dict[str, JSONValue] = {
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {
            "lifecycles": [{"phase": "build"}],
            "tools": {"components": [{"type": "application", "name": _SPACE}]},
            "component": {
                "type": "library",
                "bom-ref": f"pkg:pypi/{name}@{version}",
                "name": name,
                "version": version,
            },
            "properties": [{"name": key, "value": value} for key, value in properties],
        },
        "components": components,
    }
    return (json.dumps(document, indent=1, ensure_ascii=False) + "\n").encode()


def refresh_provenance(data: bytes, report: AuditReport) -> bytes:
    """Return the document `data` with its audited properties replaced by those of `report`.

    For a wheel whose files were changed after the build, such as by grafting libraries. Raises
    WheelError unless `data` is a document that `render_provenance` wrote.
    """
    variant = _declared(parse_provenance(data))
    document = cast("dict[str, dict[str, JSONValue]]", json.loads(data))
    listed = cast("list[dict[str, JSONValue]]", document["metadata"]["properties"])
    audited = property_name("audited", "")
    kept: list[JSONValue] = [each for each in listed if not str(each["name"]).startswith(audited)]
    kept += [{"name": key, "value": value} for key, value in audited_properties(report, variant)]
    document["metadata"]["properties"] = kept
    return (json.dumps(document, indent=1, ensure_ascii=False) + "\n").encode()


def parse_provenance(data: bytes) -> dict[str, str]:
    """Return the properties of a document that `render_provenance` wrote, name to value.

    Raises WheelError for any other document.
    """
    try:
        document = cast("JSONValue", json.loads(data))
        if not isinstance(document, Mapping) or document.get("bomFormat") != "CycloneDX":
            raise WheelError(f"{SBOM_MEMBER} is not a CycloneDX document")
        metadata = document.get("metadata")
        listed = metadata.get("properties") if isinstance(metadata, Mapping) else None
        entries = listed if isinstance(listed, list) else []
        pairs = [(each["name"], each["value"]) for each in entries if isinstance(each, Mapping)]
    except (ValueError, KeyError, RecursionError) as error:
        raise WheelError(f"{SBOM_MEMBER} cannot be read: {error}") from error
    return {str(key): str(value) for key, value in pairs}


def compare_provenance(recorded: Mapping[str, str], report: AuditReport) -> Iterator[Finding]:
    """Compare what a wheel's document says about its files with what they contain."""
    prefix = f"{_SPACE}:audited:file:"
    said = {key[len(prefix) :]: value for key, value in recorded.items() if key.startswith(prefix)}
    found = {_place(file.path): _summary(file) for file in report.files}
    for path in sorted(said.keys() | found.keys()):
        if said.get(path) != found.get(path):
            yield Finding(
                severity="error",
                rule="provenance",
                message=f"{path} is {found.get(path, 'missing')}, but the wheel's own record says "
                f"{said.get(path, 'nothing about it')}",
                path=path,
                evidence=evidence_of(
                    "record", *(each for each in (said.get(path), found.get(path)) if each)
                ),
            )


def _declared(properties: Mapping[str, str]) -> Variant | None:
    """Return the variant that a record declares; None if it declares none that is known."""
    label = properties.get(property_name("declared", "variant"))
    arch = properties.get(property_name("declared", "architecture"))
    if label is None or arch is None:
        return None
    try:
        return Variant.parse(label, arch) if label else Variant(arch=arch)
    except VariantError:
        return None


def audited_properties(
    report: AuditReport, variant: Variant | None = None
) -> Iterator[tuple[str, str]]:
    """Yield the properties (name, value) of what the audit found in each file.

    The functions are named of a file of which it cannot be told whether it needs more than
    `variant`; None is a wheel that declares no CPU.
    """
    processor = None if variant is None else resolve_processor(variant.arch, variant.cpu)
    has = (processor and processor.has) or frozenset()
    yield property_name("audited", "level"), report.required or "unknown"
    for file in sorted(report.files, key=lambda each: each.path):
        yield property_name("audited", "file", _place(file.path)), _summary(file)
        if unclear := _unclear(file, has):
            yield property_name("audited", "cannot-tell", _place(file.path)), unclear
        if file.exempt is not None:
            yield EXEMPT + _place(file.path), file.exempt


def _summary(file: FileReport) -> str:
    """Return a one-line summary of a file, independent of the installed decoder."""
    device = [] if file.device is None else [*map(str, file.device.cuda), *file.device.rocm]
    note = f"ISA note {file.isa_note}" if file.isa_note else "no ISA note"
    floor = "" if file.glibc_floor is None else "glibc " + ".".join(map(str, file.glibc_floor))
    words = dict.fromkeys(
        f"{line.asked} -ffp-contract={line.contract}" if line.contract else line.asked
        for line in file.recorded
    )
    return without_private_paths(
        "; ".join(each for each in (file.machine_names, note, floor, *words, *device) if each)
    )


def _unclear(file: FileReport, has: frozenset[str]) -> str:
    if file.code is None or not has:
        return ""
    paths = (path for each in file.code.unclear(has) for path in each.paths)
    functions = dict.fromkeys(path.functions[-1] for path in paths)
    return ", ".join((*file.code.obscure, *functions))


def _place(path: str) -> str:
    # The name of the data directory contains the version, which the stamp changes.
    return re.sub(r"^[^/]+\.data/", "*.data/", path)


def property_name(known: Known, *names: str) -> str:
    """Return the full name of a property: `variantbuild:declared:variant`."""
    return ":".join((_SPACE, known, *names))


def without_private_paths(text: str) -> str:
    """Return `text` without the directories of paths outside /usr and /opt."""
    return _PRIVATE_PATH.sub("", text)
