"""`variantbuild probe`: what was found on this machine, from which source."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping
from typing import TypeVar

from variantbuild.cli.terminal import paint, print_json, table
from variantbuild.host import Host, LocalHost
from variantbuild.probe import probe_host
from variantbuild.probe.cpu import probe_microarchitecture
from variantbuild.probe.facts import (
    LANGUAGES,
    Absent,
    Compiler,
    Cpu,
    Distro,
    Fact,
    Failed,
    Found,
    HostFacts,
    Libc,
)
from variantbuild.suitability import Suitability, judge_machine
from variantbuild.types import JSONValue

T = TypeVar("T")

_TITLES = {"c": "C compiler", "cxx": "C++ compiler", "fortran": "Fortran compiler"}


def configure_parser(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of `probe`."""
    parser.add_argument(
        "--why-not",
        metavar="TARGET",
        help="say why this machine cannot run or cannot build a variant, such as v4 or fc39.v3",
    )
    parser.add_argument("--json", action="store_true", help="machine-readable output")


def execute(args: argparse.Namespace, env: Mapping[str, str]) -> int:
    """Probe the machine and print what was found; 1 where `--why-not` has reasons to tell."""
    return report(LocalHost(env=env), why_not=args.why_not, as_json=args.json)


def report(host: Host, *, why_not: str | None, as_json: bool) -> int:
    """Probe `host`, print the facts or the reasons, and return the exit code."""
    facts = probe_host(host, LANGUAGES)
    suitability = None if why_not is None else judge_machine(why_not, facts)
    if as_json:
        print_json(_payload(facts, _name(host, facts), why_not, suitability))
    elif why_not is None or suitability is None:
        print(_facts_for_people(facts, _name(host, facts)))
    else:
        print(_reasons_for_people(why_not, suitability))
    return 1 if suitability is not None and (suitability.run or suitability.build) else 0


def _name(host: Host, facts: HostFacts) -> Fact[str]:
    if isinstance(facts.cpu, Found):
        return probe_microarchitecture(host, facts.cpu.value)
    return Absent("the processor is unknown")


def _facts_for_people(facts: HostFacts, name: Fact[str]) -> str:
    rows = [
        ("machine", f"{facts.system} {facts.machine}", ""),
        ("processor", *_cells(facts.cpu, _show_cpu)),
        ("level", *_cells(_level(facts), str)),
        ("name", *_cells(name, str)),
        ("C library", *_cells(facts.libc, _show_libc)),
        ("distribution", *_cells(facts.distro, _show_distro)),
    ]
    rows += [(_TITLES[lang], *_cells(fact, _show_compiler)) for lang, fact in facts.compilers]
    return table(rows)


def _level(facts: HostFacts) -> Fact[str]:
    if not isinstance(facts.cpu, Found):
        return Absent("the processor is unknown")
    cpu = facts.cpu.value
    if cpu.level is None:
        return Absent(f"{cpu.family} has no generic level that this processor reaches")
    return Found(cpu.level, facts.cpu.source)


def _cells(fact: Fact[T], show: Callable[[T], str]) -> tuple[str, str]:
    match fact:
        case Found(value=value, source=source):
            return show(value), paint(source, "dim")
        case Absent(reason=reason):
            return "none", paint(reason, "dim")
        case Failed(error=error):
            return "failed", paint(error, "red")


def _show_cpu(cpu: Cpu) -> str:
    return " ".join(part for part in (cpu.family, cpu.vendor, cpu.brand) if part != "generic")


def _show_libc(libc: Libc) -> str:
    return f"{libc.name} {libc.version[0]}.{libc.version[1]}"


def _show_distro(distro: Distro) -> str:
    return f"{distro.id} {distro.version_id}".rstrip()


def _show_compiler(compiler: Compiler) -> str:
    return f"{compiler.family} {compiler.version}  {' '.join(compiler.command)}"


def _reasons_for_people(label: str, suitability: Suitability) -> str:
    lines = []
    for verb, reasons in (("run", suitability.run), ("build", suitability.build)):
        if not reasons:
            lines.append(f"this machine can {verb} {label}, {paint('as far as is known', 'dim')}")
        lines += [f"this machine {paint('cannot', 'red')} {verb} {label}: {why}" for why in reasons]
    return "\n".join(lines)


def _payload(
    facts: HostFacts, name: Fact[str], target: str | None, suitability: Suitability | None
) -> dict[str, JSONValue]:
    """Return the value of probe.schema.json."""
    reasons: dict[str, JSONValue] | None = None
    if suitability is not None:
        reasons = {
            "target": target,
            "run": list(suitability.run),
            "build": list(suitability.build),
        }
    return {
        "version": 1,
        "system": facts.system,
        "machine": facts.machine,
        "cpu": _json(facts.cpu, _cpu_json),
        "microarchitecture": _json(name, str),
        "libc": _json(facts.libc, lambda libc: {"name": libc.name, "version": list(libc.version)}),
        "distro": _json(
            facts.distro, lambda distro: {"id": distro.id, "version_id": distro.version_id}
        ),
        "compilers": {lang: _json(fact, _compiler_json) for lang, fact in facts.compilers},
        "why_not": reasons,
    }


def _json(fact: Fact[T], show: Callable[[T], JSONValue]) -> dict[str, JSONValue]:
    match fact:
        case Found(value=value, source=source):
            return {"state": "found", "value": show(value), "source": source}
        case Absent(reason=reason):
            return {"state": "absent", "reason": reason}
        case Failed(error=error):
            return {"state": "failed", "error": error}


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
