"""The facts of a machine, and what it cannot run, as text and as JSON."""

from __future__ import annotations

from collections.abc import Sequence

from variantbuild.cli.deviceview import device_json
from variantbuild.cli.factview import fact_json
from variantbuild.cli.terminal import paint
from variantbuild.cli.whynot import Suitability
from variantbuild.probe.facts import Compiler, Cpu, Distro, Fact, HostFacts, Libc
from variantbuild.probe.gpu.gpufacts import AcceleratorFacts
from variantbuild.types import JSONValue


def show_cpu(cpu: Cpu) -> str:
    """Return a CPU as text."""
    return " ".join(part for part in (cpu.family, cpu.vendor, cpu.brand) if part != "generic")


def show_libc(libc: Libc) -> str:
    """Return a C library as text."""
    return f"{libc.name} {libc.version[0]}.{libc.version[1]}"


def show_distro(distro: Distro) -> str:
    """Return a distribution as text."""
    return f"{distro.id} {distro.version_id}".rstrip()


def show_compiler(compiler: Compiler) -> str:
    """Return a compiler as text."""
    return f"{compiler.family} {compiler.version}  {' '.join(compiler.command)}"


def reasons_for_people(label: str, suitability: Suitability) -> str:
    """Return what this machine can and cannot do for `label`, and why, as lines of text."""
    lines = []
    for verb, reasons in (("run", suitability.run), ("build", suitability.build)):
        if not reasons:
            lines.append(f"this machine can {verb} {label}, {paint('as far as is known', 'dim')}")
        lines += [f"this machine {paint('cannot', 'red')} {verb} {label}: {why}" for why in reasons]
    lines += [paint(note, "dim") for note in suitability.notes]
    return "\n".join(lines)


def reasons_json(target: str | None, suitability: Suitability | None) -> JSONValue:
    """Return the value of `why_not` in probe.schema.json."""
    if suitability is None:
        return None
    return {
        "target": target,
        "run": [str(each) for each in suitability.run],
        "build": [str(each) for each in suitability.build],
        "notes": list(suitability.notes),
    }


def facts_json(
    facts: HostFacts, name: Fact[str], devices: Sequence[AcceleratorFacts]
) -> dict[str, JSONValue]:
    """Return the value of probe.schema.json, without `why_not`."""
    return {
        "version": 1,
        "system": facts.system,
        "machine": facts.machine,
        "cpu": fact_json(facts.cpu, _cpu_json),
        "microarchitecture": fact_json(name, str),
        "libc": fact_json(
            facts.libc, lambda libc: {"name": libc.name, "version": list(libc.version)}
        ),
        "distro": fact_json(
            facts.distro, lambda distro: {"id": distro.id, "version_id": distro.version_id}
        ),
        "compilers": {lang: fact_json(fact, _compiler_json) for lang, fact in facts.compilers},
        "accelerators": {each.kind: device_json(each) for each in devices},
    }


def _cpu_json(cpu: Cpu) -> JSONValue:
    return {
        "family": cpu.family,
        "vendor": cpu.vendor,
        "brand": cpu.brand,
        "level": cpu.level,
        "part": cpu.part,
        "generation": cpu.generation,
        "features": sorted(cpu.features),
    }


def _compiler_json(compiler: Compiler) -> JSONValue:
    return {
        "family": compiler.family,
        "version": compiler.version,
        "command": list(compiler.command),
        "target": compiler.target,
    }
