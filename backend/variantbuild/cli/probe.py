"""`variantbuild probe`: the facts of this machine, each with its source."""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from pathlib import Path

from variantbuild.cli.deviceview import device_rows
from variantbuild.cli.factview import fact_cells
from variantbuild.cli.options import check_label
from variantbuild.cli.probeview import (
    facts_json,
    reasons_for_people,
    reasons_json,
    show_compiler,
    show_cpu,
    show_distro,
    show_libc,
)
from variantbuild.cli.terminal import paint, print_json, table
from variantbuild.cli.whynot import judge_machine, parse_target
from variantbuild.config import Override
from variantbuild.config.project import load_machine_overrides
from variantbuild.errors import AcceleratorError, BundleError
from variantbuild.host import Host
from variantbuild.host.local import LocalHost
from variantbuild.isa.accelerators import AcceleratorKind
from variantbuild.plan.device.devicebuildable import DeviceCheck
from variantbuild.plan.device.hostcompiler import choose_host_compiler
from variantbuild.probe import probe_host
from variantbuild.probe.cpu import probe_microarchitecture
from variantbuild.probe.facts import (
    LANGUAGES,
    Absent,
    Fact,
    Found,
    HostFacts,
)
from variantbuild.probe.gpu import probe_accelerator
from variantbuild.probe.gpu.gpufacts import AcceleratorFacts
from variantbuild.probe.machinenames import machine_names
from variantbuild.types import JSONValue
from variantbuild.variant.axes import Accelerator

#: Tables of overrides, each with whether it matches this machine.
Overrides = tuple[tuple[Override, bool], ...]

_KINDS: tuple[AcceleratorKind, ...] = ("cuda", "rocm")
_TITLES = {"c": "C compiler", "cxx": "C++ compiler", "fortran": "Fortran compiler"}


def configure_parser(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of `probe`."""
    parser.add_argument(
        "--why-not",
        metavar="TARGET",
        help="explain why this machine cannot run or build a variant, such as v4 or cu13.v3",
    )
    parser.add_argument(
        "--for",
        dest="bundle",
        metavar="BUNDLE",
        help="say which copy of each module in BUNDLE, a wheel or installed package, is loaded",
    )
    parser.add_argument("--json", action="store_true", help="machine-readable output")


def execute(args: argparse.Namespace, env: Mapping[str, str]) -> int:
    """Probe the machine and print what was found; 1 if `--why-not` has reasons."""
    if args.why_not is not None and args.bundle is not None:
        raise BundleError("--why-not and --for are both given", hint="use one of them")
    if args.why_not is not None:
        check_label("--why-not", args.why_not)
    if args.bundle is not None:
        from variantbuild.cli.copyview import report_copies

        return report_copies(LocalHost(env=env), args.bundle, as_json=args.json)
    return report(LocalHost(env=env), why_not=args.why_not, as_json=args.json)


def report(
    host: Host,
    *,
    why_not: str | None,
    as_json: bool,
    settings_files: tuple[Path, ...] | None = None,
) -> int:
    """Probe `host`, print the facts or the reasons, and return the exit code.

    `settings_files` are those whose overrides are shown, None for the user's and the machine's.
    """
    overrides = load_machine_overrides(host.env, machine_names(host), machine_files=settings_files)
    facts = probe_host(host, LANGUAGES)
    target = None if why_not is None else parse_target(why_not, facts)
    wanted = None if target is None else target.accelerator
    devices = [_probe_devices(host, kind, wanted) for kind in _KINDS]
    suitability = None
    if target is not None:
        seen = next((each for each in devices if wanted and each.kind == wanted.kind), None)
        sight = None if seen is None else _look(host, seen)
        suitability = judge_machine(target, facts, sight)
    if as_json:
        payload = facts_json(facts, _name(host, facts), devices)
        payload["hostname"] = host.hostname
        payload["overrides"] = [
            {"place": each.place, "conditions": _conditions_json(each), "matches": matches}
            for each, matches in overrides
        ]
        print_json({**payload, "why_not": reasons_json(why_not, suitability)})
    elif why_not is None or suitability is None:
        print(
            _facts_for_people(
                facts, _name(host, facts), devices, hostname=host.hostname, overrides=overrides
            )
        )
    else:
        print(reasons_for_people(why_not, suitability))
    return 1 if suitability is not None and (suitability.run or suitability.build) else 0


def _probe_devices(
    host: Host, kind: AcceleratorKind, wanted: Accelerator | None
) -> AcceleratorFacts:
    """Return the facts on `kind`, with the toolkit of the wanted release, if any."""
    release = wanted.version if wanted is not None and wanted.kind == kind else ()
    return probe_accelerator(host, kind, wanted=release, python_path=host.site_directories)


def _look(host: Host, facts: AcceleratorFacts) -> DeviceCheck:
    """Check also whether nvcc finds a host compiler."""
    reason = ""
    if facts.kind == "cuda" and isinstance(facts.toolkit, Found):
        try:
            choose_host_compiler(host, facts.toolkit.value)
        except AcceleratorError as error:
            reason = error.message
    return DeviceCheck(facts=facts, host_compiler=reason)


def _name(host: Host, facts: HostFacts) -> Fact[str]:
    if isinstance(facts.cpu, Found):
        return probe_microarchitecture(host, facts.cpu.value)
    return Absent("the CPU is unknown")


def _facts_for_people(
    facts: HostFacts,
    name: Fact[str],
    devices: Sequence[AcceleratorFacts],
    *,
    hostname: str,
    overrides: Overrides,
) -> str:
    rows = [
        ("machine", f"{facts.system} {facts.machine}", ""),
        ("host name", hostname, ""),
        ("CPU", *fact_cells(facts.cpu, show_cpu)),
        ("level", *fact_cells(_level(facts), str)),
        ("name", *fact_cells(name, str)),
        ("C library", *fact_cells(facts.libc, show_libc)),
        ("distribution", *fact_cells(facts.distro, show_distro)),
    ]
    rows += [(_TITLES[lang], *fact_cells(fact, show_compiler)) for lang, fact in facts.compilers]
    rows += [row for each in devices for row in device_rows(each)]
    rows += [
        ("override", str(each), paint("matches" if matches else "does not match", "dim"))
        for each, matches in overrides
    ]
    return table(rows)


def _level(facts: HostFacts) -> Fact[str]:
    if not isinstance(facts.cpu, Found):
        return Absent("the CPU is unknown")
    cpu = facts.cpu.value
    if cpu.level is None:
        return Absent(f"{cpu.family} has no generic level that this CPU reaches")
    return Found(cpu.level, facts.cpu.source)


def _conditions_json(override: Override) -> JSONValue:
    return {axis: list(patterns) for axis, patterns in override.conditions}
