"""Finds what the files of a wheel need beyond a policy, and the lowest policy that fits. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import cast

from variantbuild.audit.linked import LinkedFile
from variantbuild.data import load_table
from variantbuild.errors import AuditError, RepairError
from variantbuild.tags.manylinux import Policy, known_policies, musl_policy, parse_version
from variantbuild.values import dataclass

_NUMBERED = re.compile(r"([A-Z]+)_(\d+(?:\.\d+)*)", re.ASCII)


@dataclass(frozen=True, kw_only=True, slots=True)
class Excess:
    """What a file needs beyond a policy: a symbol version, or a library outside it.

    If `library` is empty the policy does not exist for the machine.
    """

    path: str
    library: str
    version: str | None = None
    machine: str = ""

    def __str__(self) -> str:
        if not self.library:
            return f"{self.path} is for {self.machine}"
        what = self.library if self.version is None else f"{self.version} of {self.library}"
        return f"{self.path} needs {what}"


def excesses(policy: Policy, files: Sequence[LinkedFile]) -> tuple[Excess, ...]:
    """Return what `files` need beyond `policy`; libraries in the wheel itself do not count."""
    return tuple(
        excess
        for file in files
        for excess in (
            *_machine(policy, file),
            *_libraries(policy, file),
            *_versions(policy, file),
        )
    )


def needs_grafting(files: Sequence[LinkedFile]) -> bool:
    """Return whether `files` link anything that a grafting tool would include or must check.

    Linking zlib is allowed, but not its private symbols, which auditwheel knows.
    """
    inside = known_policies()[-1].libraries | musl_policy("").libraries
    return any(
        library.startswith("libz.") or (library not in inside and not _is_musl_libc(library))
        for file in files
        for library in file.outside
    )


def resolve_policy(files: Sequence[LinkedFile], asked: Policy | None) -> Policy:
    """Return the policy whose tag the wheel of `files` may have: `asked`, or the lowest one.

    Raises AuditError if the files need more than the policy `asked`, or more than any policy has,
    and RepairError if a policy is needed for musl, whose symbols have no versions.
    """
    musl = [file for file in files if file.is_musl]
    if musl and len(musl) != len([file for file in files if file.is_musl or file.is_glibc]):
        raise AuditError(f"{musl[0].path} is linked with musl and other files with glibc")
    if musl:
        return _resolve_musl(files, asked)
    if asked is not None:
        beyond = excesses(asked, files)
        if asked.is_musl and any(file.is_glibc for file in files):
            raise AuditError(f"{asked.name} is for musl, but the files are linked with glibc")
        if beyond:
            raise _refusal(asked.name, beyond, files)
        _refuse_future(asked, files)
        return asked
    for policy in known_policies():
        if not excesses(policy, files):
            return policy
    highest = known_policies()[-1]
    raise _refusal(f"{highest.name}, the newest policy known,", excesses(highest, files), files)


def _refuse_future(asked: Policy, files: Sequence[LinkedFile]) -> None:
    """Refuse a policy for a glibc that is not known to exist: nothing could install the wheel."""
    newest = known_policies()[-1]
    if asked.is_musl or asked.ceilings["GLIBC"] <= newest.ceilings["GLIBC"]:
        return
    lowest = next((each.name for each in known_policies() if not excesses(each, files)), None)
    if lowest is not None:
        glibc = ".".join(map(str, asked.ceilings["GLIBC"]))
        raise RepairError(
            f"--policy {asked.name} is for glibc {glibc} and newer, but the symbols in the files "
            f"need no more than {lowest}: fewer systems would install the wheel, or none",
            hint=f"use --policy {lowest}, or omit --policy, which has the same effect",
        )


def _resolve_musl(files: Sequence[LinkedFile], asked: Policy | None) -> Policy:
    if asked is None:
        raise RepairError(
            "musl symbols have no versions, so the policy cannot be determined from the files",
            hint="name the policy of the machine that built them, such as --policy musllinux_1_2",
        )
    if not asked.is_musl:
        raise AuditError(f"{asked.name} is for glibc, but the files are linked with musl")
    if beyond := excesses(asked, files):
        raise _refusal(asked.name, beyond, files)
    return asked


def _refusal(name: str, beyond: Sequence[Excess], files: Sequence[LinkedFile]) -> AuditError:
    others = f" (and {len(beyond) - 1} more)" if len(beyond) > 1 else ""
    first = beyond[0]
    if not first.library:
        began = next(each.name for each in known_policies() if first.machine not in each.never)
        return AuditError(
            f"{first}, for which {name} does not exist", hint=f"the first policy for it is {began}"
        )
    libraries = sorted({each.library for each in beyond if each.version is None})
    if libraries:
        hint = (
            f"graft {', '.join(libraries)} into the wheel: `variantbuild repair` without --tag-only"
        )
    else:
        lowest = next((each.name for each in known_policies() if not excesses(each, files)), None)
        hint = "build on an older system" + (f", or use --policy {lowest}" if lowest else "")
    return AuditError(f"{first}, more than {name} has{others}", hint=hint)


def _machine(policy: Policy, file: LinkedFile) -> list[Excess]:
    if file.machine not in policy.never:
        return []
    return [Excess(path=file.path, library="", machine=file.machine)]


def _libraries(policy: Policy, file: LinkedFile) -> list[Excess]:
    return [
        Excess(path=file.path, library=library)
        for library in file.outside
        if library not in policy.libraries and not (policy.is_musl and _is_musl_libc(library))
    ]


def _versions(policy: Policy, file: LinkedFile) -> list[Excess]:
    if policy.is_musl:
        return []
    by_name = cast("dict[str, str]", load_table("manylinux")["versions-by-name"])
    found = []
    for library, version in file.versions:
        match = _NUMBERED.fullmatch(by_name.get(version, version))
        if match is None:
            beyond = version == "GLIBC_PRIVATE"
        else:
            ceiling = policy.ceiling(match[1], file.machine)
            beyond = ceiling is not None and parse_version(match[2]) > ceiling
        if beyond:
            found.append(Excess(path=file.path, library=library, version=version))
    return found


def _is_musl_libc(library: str) -> bool:
    return library.startswith("libc.musl-")
