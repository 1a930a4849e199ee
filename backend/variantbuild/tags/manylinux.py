"""manylinux policies: the symbol versions and libraries that each guarantees.

Pure; the table is data/manylinux.json. Sources: PEP 600 (a policy is the glibc that it names),
PEP 656 (musllinux), and the distributions behind each policy for libstdc++, libgcc and zlib.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import field, replace
from functools import cache
from typing import TypedDict, cast

from variantbuild.data import load_table
from variantbuild.errors import RepairError
from variantbuild.isa.architecture import machine_names
from variantbuild.values import dataclass

_NAME = re.compile(r"(many|musl)linux_(\d{1,2})_(\d{1,3})", re.ASCII)

Version = tuple[int, ...]

#: The only major version: soname and symbol versions depend on it.
_GLIBC_MAJOR = 2


class _Row(TypedDict):
    """A policy in the table."""

    name: str
    aliases: list[str]
    ceilings: dict[str, str]


class _Machine(TypedDict):
    """Differences of a machine: the first policy for it, and ceilings by policy."""

    since: str
    ceilings: dict[str, dict[str, str]]


@dataclass(frozen=True, kw_only=True, slots=True)
class Policy:
    """A policy such as `manylinux_2_28`, and the newest symbol version of each library in it.

    `ceilings` maps the prefix of symbol versions (GLIBC, GLIBCXX, …) to the highest one, `others`
    an architecture to those that differ there. It is for all architectures except `never`.
    `libraries` may be linked without being in the wheel. musl has no symbol versions.
    """

    name: str
    ceilings: Mapping[str, Version]
    libraries: frozenset[str]
    others: Mapping[str, Mapping[str, Version]] = field(default_factory=dict)
    never: frozenset[str] = frozenset()

    @property
    def is_musl(self) -> bool:
        """Whether this is a musllinux policy."""
        return self.name.startswith("musl")

    def platform(self, machine: str) -> str:
        """Return the platform tag for a machine (`x86_64`): `manylinux_2_28_x86_64`."""
        return f"{self.name}_{machine}"

    def ceiling(self, prefix: str, machine: str) -> Version | None:
        """Return the highest symbol version of `prefix` on a machine; None if it has none."""
        return self.others.get(machine, {}).get(prefix) or self.ceilings.get(prefix)


@cache
def known_policies() -> tuple[Policy, ...]:
    """Return the manylinux policies of the table, the oldest first."""
    table = load_table("manylinux")
    rows = cast("list[_Row]", table["policies"])
    machines = cast("dict[str, _Machine]", table["machines"])
    names = [row["name"] for row in rows]
    since = cast("dict[str, str]", table["since"])
    common = {*cast("list[str]", table["libraries"]), *cast("list[str]", table["loaders"])}

    def begun(first: str, name: str) -> bool:
        return names.index(first) <= names.index(name)

    return tuple(
        Policy(
            name=row["name"],
            ceilings=_versions_of(row["ceilings"]),
            libraries=frozenset(
                library
                for library in common
                if library not in since or begun(since[library], row["name"])
            ),
            others={
                machine: _versions_of(its["ceilings"].get(row["name"], {}))
                for machine, its in machines.items()
            },
            never=frozenset(
                machine for machine, its in machines.items() if not begun(its["since"], row["name"])
            ),
        )
        for row in rows
    )


def parse_policy(text: str) -> Policy:
    """Return the policy called `text`: `manylinux_2_28`, `manylinux2014`, `musllinux_1_2`.

    A machine after it (`_x86_64`) is ignored. Any glibc 2 may be named (PEP 600): between two
    policies of the table, the older one applies to the other libraries. Raises RepairError.
    """
    rows = cast("list[_Row]", load_table("manylinux")["policies"])
    aliases = {alias: row["name"] for row in rows for alias in row["aliases"]}
    base = re.sub(rf"_({'|'.join(machine_names())})$", "", text)
    found = _NAME.fullmatch(aliases.get(base, base))
    if found is None:
        raise RepairError(
            f"--policy {text!r} is not a policy",
            hint="use a policy such as manylinux_2_28, manylinux2014 or musllinux_1_2",
        )
    if found[1] == "musl":
        return musl_policy(found[0])
    wanted = (int(found[2]), int(found[3]))
    if wanted[0] != _GLIBC_MAJOR:
        raise RepairError(
            f"--policy {text!r} is for glibc {found[2]}, which does not exist",
            hint="use a policy for glibc 2, such as manylinux_2_28",
        )
    below = [policy for policy in known_policies() if policy.ceilings["GLIBC"] <= wanted]
    if not below:
        raise RepairError(
            f"--policy {text!r} is older than any policy", hint="manylinux_2_5 is the oldest"
        )
    return replace(below[-1], name=found[0], ceilings={**below[-1].ceilings, "GLIBC": wanted})


def musl_policy(name: str) -> Policy:
    """Return the musllinux policy called `name`: its libraries, as musl has no versions."""
    libraries = cast("list[str]", load_table("manylinux")["musl-libraries"])
    return Policy(name=name, ceilings={}, libraries=frozenset(libraries))


def _versions_of(texts: Mapping[str, str]) -> dict[str, Version]:
    return {prefix: parse_version(text) for prefix, text in texts.items()}


def parse_version(text: str) -> Version:
    """Return the numbers of a version such as `2.17`."""
    return tuple(int(part) for part in text.split("."))
