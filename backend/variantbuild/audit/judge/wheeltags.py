"""Checks the platform tags of a wheel against its files.

Sources: PEP 425 (`any`), PEP 600 (manylinux, and the versions of its older names), PEP 656
(musllinux). Only properties of single files are checked; auditwheel checks the
libraries that a policy allows.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from variantbuild.audit.judge.findings import Finding, evidence_of
from variantbuild.audit.report import AuditReport, FileReport
from variantbuild.errors import VariantError
from variantbuild.tags.platform import PlatformTag

_OLD_NAMES = {"manylinux1": (2, 5), "manylinux2010": (2, 12), "manylinux2014": (2, 17)}
_MANYLINUX = re.compile(r"(manylinux\d+|manylinux_(\d+)_(\d+))(?:_|$)", re.ASCII)
_WITHOUT_MACHINE = re.compile(r"(?:many|musl)linux(?:\d+|_\d+_\d+)|linux", re.ASCII)


def judge_tags(report: AuditReport) -> Iterator[Finding]:
    """Compare the platform tags of a wheel with the machines and C libraries of its files."""
    hosts = [each for each in report.files if each.role == "host"]
    yield from _judge_machines(hosts, report.platforms)
    for tag in report.platforms:
        if tag == "any" and hosts:
            yield Finding(
                severity="error",
                rule="code-in-any",
                message=f"{report.name} is tagged `any`, but contains machine code: "
                f"{hosts[0].path}" + (f" (and {len(hosts) - 1} more)" if hosts[1:] else ""),
                path=hosts[0].path,
            )
        if _WITHOUT_MACHINE.fullmatch(tag) and hosts:
            yield Finding(
                severity="error",
                rule="wrong-machine",
                message=f"the platform tag {tag} has no machine, so no installer accepts the "
                f"wheel: it would be {tag}_{hosts[0].machine or 'x86_64'}",
            )
        for file in hosts:
            yield from _judge_libc(file, tag)


def _judge_machines(hosts: Sequence[FileReport], platforms: Sequence[str]) -> Iterator[Finding]:
    """Yield one finding for each file whose machine is not that of the tags."""
    tagged = {tag: _architectures(tag) for tag in platforms}
    for file in hosts:
        others = [
            tag
            for tag, machines in tagged.items()
            if machines and file.machines and machines.isdisjoint(file.machines)
        ]
        if others:
            says = "the tag says" if len(others) == 1 else "the tags say"
            yield Finding(
                severity="error",
                rule="wrong-machine",
                message=f"{file.path} is for {file.machine_names}, but {says} "
                f"{' and '.join(others)}",
                path=file.path,
            )


def _judge_libc(file: FileReport, tag: str) -> Iterator[Finding]:
    musl = any(name.startswith("libc.musl-") for name in file.needed)
    floor = file.glibc_floor
    promised = _glibc_of(tag)
    text = ""
    if promised is not None and floor is not None and floor > promised:
        text = f"needs glibc {floor[0]}.{floor[1]}, newer than {tag} allows"
    elif promised is not None and musl:
        text = f"is linked with musl, but the tag says {tag}"
    elif tag.startswith("musllinux_") and floor is not None:
        text = f"needs glibc {floor[0]}.{floor[1]}, but the tag says {tag}"
    if text:
        needs = "" if floor is None else f"GLIBC_{floor[0]}.{floor[1]}"
        yield Finding(
            severity="error",
            rule="libc-floor",
            message=f"{file.path} {text}",
            path=file.path,
            evidence=evidence_of("libraries", *(each for each in (needs, *file.needed) if each)),
        )


def _glibc_of(tag: str) -> tuple[int, int] | None:
    found = _MANYLINUX.match(tag)
    if found is None:
        return None
    if found[2] is None:
        return _OLD_NAMES.get(found[1])
    return int(found[2]), int(found[3])


def _architectures(tag: str) -> frozenset[str]:
    try:
        return frozenset(PlatformTag.parse(tag).architectures)
    except VariantError:
        return frozenset()  # the suffix of another tool
