"""Provenance of a built wheel: its plan and build machine, as properties of its SBOM."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from variantbuild.audit.report import AuditReport
from variantbuild.plan.flags import Flags, Tool
from variantbuild.probe.facts import Compiler, Found, HostFacts, Language
from variantbuild.stamp.sbom import (
    audited_properties,
    property_name,
    render_document,
    without_private_paths,
)
from variantbuild.types import JSONValue
from variantbuild.variant import Variant

#: Variables that change what compilers and linkers do, beside the flags of the plan.
_RECORDED = (
    "CFLAGS", "CXXFLAGS", "CPPFLAGS", "FFLAGS", "FCFLAGS", "LDFLAGS", "RUSTFLAGS", "CPATH",
    "C_INCLUDE_PATH", "CPLUS_INCLUDE_PATH", "OBJC_INCLUDE_PATH", "LIBRARY_PATH", "LD_PRELOAD",
    "LD_LIBRARY_PATH", "LD_RUN_PATH", "GCC_EXEC_PREFIX", "COMPILER_PATH", "CCC_OVERRIDE_OPTIONS",
    "NVCC_PREPEND_FLAGS", "NVCC_APPEND_FLAGS", "NVCC_CCBIN", "HIPCC_COMPILE_FLAGS_APPEND",
    "HIPCC_LINK_FLAGS_APPEND", "HIP_CLANG_PATH", "SDKROOT", "MACOSX_DEPLOYMENT_TARGET",
)  # fmt: skip
_TOOLS: tuple[Tool, ...] = ("c", "cxx", "fortran", "link")


def render_provenance(
    *,
    name: str,
    version: str,
    variant: Variant,
    flags: Flags,
    compilers: Sequence[tuple[Language, Compiler]],
    facts: HostFacts,
    report: AuditReport,
    replaced: Sequence[str] = (),
    env: Mapping[str, str] | None = None,
) -> bytes:
    """Return the SBOM for a wheel of project `name` and `version` (with its local part).

    `variant` is the stamp, `flags` and `compilers` are what it was built with, `facts` describe
    the build machine, `report` the finished files. `replaced` are the project's own options that
    `override-march` replaced, `env` is the environment of the build, of which the variables that
    compilers obey are recorded.
    """
    overridden = [(property_name("declared", "replaced"), " ".join(replaced))] if replaced else []
    properties = [
        *_declared(variant, flags),
        *overridden,
        *_probed(facts),
        *_obeyed(env or {}),
        *audited_properties(report, variant),
    ]
    return render_document(name, version, properties, [_component(*each) for each in compilers])


def _declared(variant: Variant, flags: Flags) -> Iterator[tuple[str, str]]:
    yield property_name("declared", "variant"), str(variant)
    yield property_name("declared", "architecture"), variant.arch
    for tool in _TOOLS:
        if flags.of(tool):
            yield (
                property_name("declared", "flags", tool),
                without_private_paths(" ".join(flags.of(tool))),
            )
    if flags.rust is not None:
        yield property_name("declared", "flags", "rust"), " ".join(flags.rust.compile)
    yield property_name("declared", "isa-guard"), flags.isa_note.level or "none"


def _probed(facts: HostFacts) -> Iterator[tuple[str, str]]:
    yield property_name("probed", "system"), f"{facts.system} {facts.machine}"
    if isinstance(facts.cpu, Found):
        cpu = facts.cpu.value
        yield property_name("probed", "cpu"), f"{cpu.family} {cpu.level or ''} {cpu.vendor}".strip()
    if isinstance(facts.libc, Found):
        libc = facts.libc.value
        yield property_name("probed", "libc"), f"{libc.name} {libc.version[0]}.{libc.version[1]}"
    if isinstance(facts.distro, Found):
        yield (
            property_name("probed", "distro"),
            f"{facts.distro.value.id} {facts.distro.value.version_id}",
        )


def _obeyed(env: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    for name in _RECORDED:
        if value := env.get(name):
            yield property_name("probed", "environment", name), without_private_paths(value)


def _component(language: Language, compiler: Compiler) -> dict[str, JSONValue]:
    properties: list[tuple[str, str]] = [(property_name("probed", "language"), language)]
    if compiler.target:
        properties.append((property_name("probed", "target"), compiler.target))
    return {
        "type": "application",
        "bom-ref": f"{compiler.family}@{compiler.version}#{language}",
        "name": compiler.family,
        "version": compiler.version,
        "properties": [{"name": key, "value": value} for key, value in properties],
    }
