"""manylinux policies: which symbol versions each promises, and the lowest one that files allow.

Pure; the table is data/manylinux.json. Sources: PEP 600 (a policy is the glibc that it names),
PEP 656 (musllinux), and for libstdc++, libgcc and zlib the versions of the distributions behind.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import cast

from variantbuild.data import load_table
from variantbuild.errors import AuditError, RepairError
from variantbuild.repair.linked import LinkedFile

_NAME = re.compile(r"(many|musl)linux_(\d{1,2})_(\d{1,3})", re.ASCII)
_NUMBERED = re.compile(r"([A-Z]+)_(\d+(?:\.\d+)*)", re.ASCII)

Version = tuple[int, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Policy:
    """A policy such as `manylinux_2_28`, and the newest symbol version of each library in it.

    `ceilings` maps the prefix of symbol versions (GLIBC, GLIBCXX, …) to the highest one;
    `libraries` may be linked without being in the wheel. For musl there are no versions.
    """

    name: str
    ceilings: Mapping[str, Version]
    libraries: frozenset[str]

    @property
    def is_musl(self) -> bool:
        """Tell whether this is a musllinux policy."""
        return self.name.startswith("musl")

    def platform(self, machine: str) -> str:
        """Return the platform tag for a machine (`x86_64`): `manylinux_2_28_x86_64`."""
        return f"{self.name}_{machine}"


@dataclass(frozen=True, kw_only=True, slots=True)
class Excess:
    """What a file needs beyond a policy: a symbol version, or a library that it does not have."""

    path: str
    library: str
    version: str | None = None

    def __str__(self) -> str:
        what = self.library if self.version is None else f"{self.version} of {self.library}"
        return f"{self.path} needs {what}"


@cache
def known_policies() -> tuple[Policy, ...]:
    """Return the manylinux policies of the table, the lowest first."""
    table = load_table("manylinux")
    rows = cast("list[dict[str, object]]", table["policies"])
    names = [str(row["name"]) for row in rows]
    since = cast("dict[str, str]", table["since"])
    common = frozenset(cast("list[str]", table["libraries"] + table["loaders"]))  # type: ignore[operator]  # lists of strings
    return tuple(
        Policy(
            name=name,
            ceilings={
                prefix: _version(text)
                for prefix, text in cast("dict[str, str]", row["ceilings"]).items()
            },
            libraries=frozenset(
                library
                for library in common
                if library not in since or names.index(since[library]) <= names.index(name)
            ),
        )
        for name, row in zip(names, rows, strict=True)
    )


def parse_policy(text: str) -> Policy:
    """Return the policy called `text`: `manylinux_2_28`, `manylinux2014`, `musllinux_1_2`.

    A machine behind it (`_x86_64`) is passed over. Any glibc may be named (PEP 600): one between
    two of the table promises of the other libraries what the lower one does. Raises RepairError.
    """
    rows = cast("list[dict[str, object]]", load_table("manylinux")["policies"])
    aliases = {
        alias: str(row["name"]) for row in rows for alias in cast("list[str]", row["aliases"])
    }
    base = re.sub(r"_(x86_64|aarch64|i686|ppc64le|s390x|armv7l|riscv64|loongarch64)$", "", text)
    found = _NAME.fullmatch(aliases.get(base, base))
    if found is None:
        raise RepairError(
            f"--policy {text!r} names no policy",
            hint="name one such as manylinux_2_28, manylinux2014 or musllinux_1_2",
        )
    if found[1] == "musl":
        return _musl_policy(found[0])
    wanted = (int(found[2]), int(found[3]))
    below = [policy for policy in known_policies() if policy.ceilings["GLIBC"] <= wanted]
    if not below:
        raise RepairError(
            f"--policy {text!r} is older than any policy", hint="manylinux_2_5 is the oldest"
        )
    return Policy(
        name=found[0],
        ceilings={**below[-1].ceilings, "GLIBC": wanted},
        libraries=below[-1].libraries,
    )


def _musl_policy(name: str) -> Policy:
    libraries = cast("list[str]", load_table("manylinux")["musl-libraries"])
    return Policy(name=name, ceilings={}, libraries=frozenset(libraries))


def excesses(policy: Policy, files: Sequence[LinkedFile]) -> tuple[Excess, ...]:
    """Return what `files` need beyond `policy`; what the wheel itself brings is not counted."""
    return tuple(
        excess for file in files for excess in (*_libraries(policy, file), *_versions(policy, file))
    )


def needs_grafting(files: Sequence[LinkedFile]) -> bool:
    """Tell whether `files` link anything that a grafting tool would take in, or has to look at.

    zlib is allowed from outside, but not the symbols of its inside, which auditwheel knows.
    """
    inside = known_policies()[-1].libraries | _musl_policy("").libraries
    return any(
        library.startswith("libz.") or (library not in inside and not _is_musl_libc(library))
        for file in files
        for library in file.outside
    )


def resolve_policy(files: Sequence[LinkedFile], asked: Policy | None) -> Policy:
    """Return the policy whose tag the wheel of `files` may carry: `asked`, or the lowest one.

    Raises AuditError where the files need more than was asked, or more than any policy has, and
    RepairError where they say nothing of musl's version.
    """
    musl = [file for file in files if file.is_musl]
    if musl and len(musl) != len([file for file in files if file.is_musl or file.is_glibc]):
        raise AuditError(f"{musl[0].path} is linked with musl and other files with glibc")
    if musl:
        return _resolve_musl(files, asked)
    if asked is not None:
        beyond = excesses(asked, files)
        if asked.is_musl and any(file.is_glibc for file in files):
            raise AuditError(f"the files are linked with glibc, not as {asked.name} with musl")
        if beyond:
            raise _refusal(asked.name, beyond, files)
        return asked
    for policy in known_policies():
        if not excesses(policy, files):
            return policy
    highest = known_policies()[-1]
    raise _refusal(f"{highest.name}, the newest policy known,", excesses(highest, files), files)


def _resolve_musl(files: Sequence[LinkedFile], asked: Policy | None) -> Policy:
    if asked is None:
        raise RepairError(
            "symbols of musl carry no version, so the files do not tell their policy",
            hint="name the one of the machine that built them: --policy musllinux_1_2",
        )
    if not asked.is_musl:
        raise AuditError(f"the files are linked with musl, not as {asked.name} with glibc")
    if beyond := excesses(asked, files):
        raise _refusal(asked.name, beyond, files)
    return asked


def _refusal(name: str, beyond: Sequence[Excess], files: Sequence[LinkedFile]) -> AuditError:
    others = f" (and {len(beyond) - 1} more)" if len(beyond) > 1 else ""
    libraries = sorted({each.library for each in beyond if each.version is None})
    if libraries:
        hint = (
            f"graft {', '.join(libraries)} into the wheel: `variantbuild repair` without --tag-only"
        )
    else:
        lowest = next((each.name for each in known_policies() if not excesses(each, files)), None)
        hint = "build on an older system" + (f", or ask for --policy {lowest}" if lowest else "")
    return AuditError(f"{beyond[0]}, more than {name} has{others}", hint=hint)


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
            ceiling = policy.ceilings.get(match[1])
            beyond = ceiling is not None and _version(match[2]) > ceiling
        if beyond:
            found.append(Excess(path=file.path, library=library, version=version))
    return found


def _is_musl_libc(library: str) -> bool:
    return library.startswith("libc.musl-")


def _version(text: str) -> Version:
    return tuple(int(part) for part in text.split("."))
