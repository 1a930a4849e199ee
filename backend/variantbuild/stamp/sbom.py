"""Where a wheel comes from, as a CycloneDX 1.6 document: plan, machine and audit.

    data = render_provenance(name=…, version=…, variant=…, flags=…, compilers=…, facts=…, report=…)
    goes to `*.dist-info/sboms/variantbuild.cdx.json` (PEP 770)

Every property is namespaced by how it is known: `variantbuild:declared:…`, `:probed:…`,
`:audited:…`. The same input gives the same bytes: there is no time, no random number, no host
name, and of folders outside the system's only the last part.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Literal, cast

from variantbuild.audit.judge.findings import Finding
from variantbuild.audit.report import AuditReport, FileReport
from variantbuild.errors import WheelError
from variantbuild.plan.flags import Flags, Tool
from variantbuild.probe.facts import Compiler, Found, HostFacts, Language
from variantbuild.types import JSONValue
from variantbuild.variant import Variant

MEMBER = "sboms/variantbuild.cdx.json"
_SPACE = "variantbuild"
_TOOLS: tuple[Tool, ...] = ("c", "cxx", "fortran", "link")
_PRIVATE_PATH = re.compile(r"(?<![\w.])/(?!usr/|opt/)(?:[^/\s,:=]+/)+")

Known = Literal["declared", "probed", "audited"]


def render_provenance(
    *,
    name: str,
    version: str,
    variant: Variant,
    flags: Flags,
    compilers: Sequence[tuple[Language, Compiler]],
    facts: HostFacts,
    report: AuditReport,
) -> bytes:
    """Return the document for a wheel of project `name` and `version` (with its local part).

    `variant` is what is stamped, `flags` and `compilers` what it was built with, `facts` the
    machine it was built on, `report` what the finished files hold.
    """
    properties = [*_declared(variant, flags), *_probed(facts), *_audited(report)]
    return _render(name, version, properties, [_component(*each) for each in compilers])


def render_relabelled(*, name: str, version: str, variant: Variant, report: AuditReport) -> bytes:
    """Return the document for a finished wheel that is stamped later, maybe elsewhere.

    Flags, compilers and machine of its build are not known then, and so not in it.
    """
    properties = [
        (_key("declared", "variant"), str(variant)),
        (_key("declared", "architecture"), variant.arch),
        *_audited(report),
    ]
    return _render(name, version, properties, [])


def _render(
    name: str,
    version: str,
    properties: Sequence[tuple[str, str]],
    components: Sequence[Mapping[str, JSONValue]],
) -> bytes:
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
    """Return the document `data` with what was audited replaced by what `report` found.

    For a wheel whose files were changed after the build, by grafting libraries for one. Raises
    WheelError where `data` is no document that `render_provenance` wrote.
    """
    parse_provenance(data)
    document = cast("dict[str, dict[str, JSONValue]]", json.loads(data))
    listed = cast("list[dict[str, JSONValue]]", document["metadata"]["properties"])
    audited = _key("audited", "")
    kept: list[JSONValue] = [each for each in listed if not str(each["name"]).startswith(audited)]
    kept += [{"name": key, "value": value} for key, value in _audited(report)]
    document["metadata"]["properties"] = kept
    return (json.dumps(document, indent=1, ensure_ascii=False) + "\n").encode()


def parse_provenance(data: bytes) -> dict[str, str]:
    """Return the properties of a document that `render_provenance` wrote, name to value.

    Raises WheelError where `data` is no such document.
    """
    try:
        document = cast("JSONValue", json.loads(data))
        if not isinstance(document, Mapping) or document.get("bomFormat") != "CycloneDX":
            raise WheelError(f"{MEMBER} is no CycloneDX document")
        metadata = document.get("metadata")
        listed = metadata.get("properties") if isinstance(metadata, Mapping) else None
        entries = listed if isinstance(listed, list) else []
        pairs = [(each["name"], each["value"]) for each in entries if isinstance(each, Mapping)]
    except (ValueError, KeyError, RecursionError) as error:
        raise WheelError(f"{MEMBER} cannot be read: {error}") from error
    return {str(key): str(value) for key, value in pairs}


def compare_provenance(recorded: Mapping[str, str], report: AuditReport) -> Iterator[Finding]:
    """Compare what a wheel's document says of its files with what they hold."""
    prefix = f"{_SPACE}:audited:file:"
    said = {key[len(prefix) :]: value for key, value in recorded.items() if key.startswith(prefix)}
    found = {_place(file.path): _summary(file) for file in report.files}
    for path in sorted(said.keys() | found.keys()):
        if said.get(path) != found.get(path):
            yield Finding(
                severity="error",
                rule="provenance",
                message=f"{path} is {found.get(path, 'missing')}, but the wheel's own record says "
                f"{said.get(path, 'nothing of it')}",
                path=path,
                evidence=tuple(each for each in (said.get(path), found.get(path)) if each),
            )


def _declared(variant: Variant, flags: Flags) -> Iterator[tuple[str, str]]:
    yield _key("declared", "variant"), str(variant)
    yield _key("declared", "architecture"), variant.arch
    for tool in _TOOLS:
        if flags.of(tool):
            yield _key("declared", "flags", tool), _public(" ".join(flags.of(tool)))
    if flags.rust is not None:
        yield _key("declared", "flags", "rust"), " ".join(flags.rust.compile)
    yield _key("declared", "isa-guard"), flags.guard.level or "none"


def _probed(facts: HostFacts) -> Iterator[tuple[str, str]]:
    yield _key("probed", "system"), f"{facts.system} {facts.machine}"
    if isinstance(facts.cpu, Found):
        cpu = facts.cpu.value
        yield _key("probed", "cpu"), f"{cpu.family} {cpu.level or ''} {cpu.vendor}".strip()
    if isinstance(facts.libc, Found):
        libc = facts.libc.value
        yield _key("probed", "libc"), f"{libc.name} {libc.version[0]}.{libc.version[1]}"
    if isinstance(facts.distro, Found):
        yield _key("probed", "distro"), f"{facts.distro.value.id} {facts.distro.value.version_id}"


def _audited(report: AuditReport) -> Iterator[tuple[str, str]]:
    yield _key("audited", "level"), report.level or "unknown"
    for file in sorted(report.files, key=lambda each: each.path):
        yield _key("audited", "file", _place(file.path)), _summary(file)


def _summary(file: FileReport) -> str:
    """Say in one line what a file is, without what depends on the decoder at hand."""
    device = [] if file.device is None else [*map(str, file.device.cuda), *file.device.rocm]
    note = f"ISA note {file.isa_note}" if file.isa_note else "no ISA note"
    floor = "" if file.glibc_floor is None else "glibc " + ".".join(map(str, file.glibc_floor))
    words = dict.fromkeys(line.asked for line in file.switches)
    return _public("; ".join(each for each in (file.machine, note, floor, *words, *device) if each))


def _place(path: str) -> str:
    # The folder of data carries the version, which the stamp changes.
    return re.sub(r"^[^/]+\.data/", "*.data/", path)


def _component(language: Language, compiler: Compiler) -> dict[str, JSONValue]:
    properties: list[tuple[str, str]] = [(_key("probed", "language"), language)]
    if compiler.target:
        properties.append((_key("probed", "target"), compiler.target))
    return {
        "type": "application",
        "bom-ref": f"{compiler.family}@{compiler.version}#{language}",
        "name": compiler.family,
        "version": compiler.version,
        "properties": [{"name": key, "value": value} for key, value in properties],
    }


def _key(known: Known, *names: str) -> str:
    return ":".join((_SPACE, known, *names))


def _public(text: str) -> str:
    return _PRIVATE_PATH.sub("", text)
