"""Output of `variantbuild probe --for`: the copy of each module that this machine loads."""

from __future__ import annotations

from variantbuild.bundle.predict import Prediction, predict, read_bundle
from variantbuild.cli.terminal import paint, print_json, table
from variantbuild.errors import ProbeError
from variantbuild.host import Host
from variantbuild.probe.cpu import probe_cpu
from variantbuild.probe.facts import Absent, Found
from variantbuild.probe.libc import probe_libc
from variantbuild.types import JSONValue


def report_copies(host: Host, bundle: str, *, as_json: bool) -> int:
    """Print which copy of each module of `bundle` this machine loads, and why no better one."""
    modules = read_bundle(bundle)
    cpu = probe_cpu(host)
    if not isinstance(cpu, Found):
        reason = cpu.reason if isinstance(cpu, Absent) else cpu.error
        raise ProbeError(f"--for needs the CPU, which is unknown: {reason}")
    libc = probe_libc(host)
    asked = host.env.get("VARIANTBUILD_LEVEL")
    found = [
        predict(module, chooser, arch, cpu.value, libc, asked) for module, arch, chooser in modules
    ]
    if as_json:
        print_json({"version": 1, "bundle": bundle, "modules": [_json(each) for each in found]})
        return 0
    rows = [("module", "loads", "chosen by", "why no better copy")]
    for each in found:
        why = "; ".join(f"{skip.level}: {skip.reason}" for skip in each.skipped)
        who = "the loader" if each.chooser.method == "loader" else "a stub"
        rows.append((each.module, each.level, who, why or paint("it is the best", "dim")))
    print(table(rows, names={0}))
    return 0


def _json(each: Prediction) -> JSONValue:
    return {
        "path": each.module,
        "method": each.chooser.method,
        "level": each.level,
        "file": each.file,
        "skipped": [{"level": skip.level, "reason": skip.reason} for skip in each.skipped],
    }
