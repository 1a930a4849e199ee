"""Chooses who chooses among the copies: glibc's loader, or a stub. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

from variantbuild.binary.choosers import Method
from variantbuild.bundle.choices import Choice, Links
from variantbuild.bundle.compared import Compared, Contents
from variantbuild.bundle.cpuquestions import Demand
from variantbuild.data import load_table
from variantbuild.errors import BundleError

#: The first glibc that searches glibc-hwcaps.
HWCAPS_GLIBC = (2, 33)
_POLICY = re.compile(r"manylinux_(\d+)_(\d+)_\w+", re.ASCII)


@dataclass(frozen=True, kw_only=True, slots=True)
class Chosen:
    """The method, and why it was chosen, in one clause."""

    method: Method
    reason: str


def hwcaps_directory(label: str) -> str | None:
    """Return the name below glibc-hwcaps for the level `label`; None if glibc has none."""
    return cast("dict[str, str]", load_table("bundle")["hwcaps"]).get(label)


def resolve_method(
    asked: str,
    platforms: Sequence[str],
    contents: Sequence[Contents],
    compared: Compared,
    choices: Sequence[Choice],
    demands: Sequence[Demand],
) -> Chosen:
    """Return the method for a bundle; `asked` is a method or `auto`.

    `auto` is the loader where it takes the best copy on every system that the wheel admits, and a
    stub elsewhere. Raises BundleError if the loader is asked for and cannot choose.
    """
    obstacle = _loader_obstacle(platforms, contents, compared, choices, demands)
    if asked == "loader":
        if obstacle is not None:
            raise BundleError(
                f"the loader cannot choose: {obstacle}", hint="use the method stub, or auto"
            )
        return Chosen(method="loader", reason="asked for")
    if asked == "stub":
        return Chosen(method="stub", reason="asked for")
    reason = obstacle or _old_systems(platforms, contents)
    if reason is not None:
        return Chosen(method="stub", reason=reason)
    return Chosen(
        method="loader", reason="every system that the wheel admits has glibc 2.33 or newer"
    )


def _loader_obstacle(
    platforms: Sequence[str],
    contents: Sequence[Contents],
    compared: Compared,
    choices: Sequence[Choice],
    demands: Sequence[Demand],
) -> str | None:
    """Return why glibc's loader cannot choose these copies, as a clause; None if it can."""
    if any(each.startswith("musllinux") for each in platforms) or _is_musl(contents):
        return "musl does not search glibc-hwcaps"
    for demand in demands[:-1]:
        if hwcaps_directory(demand.label) is None:
            return f"glibc-hwcaps has no directory for {demand.label}"
    if compared.extra:
        label, name = compared.extra[0]
        return f"{name} is only in the wheel for {label}"
    for choice in choices:
        if not choice.is_single and any(row.libraries for row in choice.rows):
            library = next(row.libraries[0][0] for row in choice.rows if row.libraries)
            return f"{library}, which {choice.name} links, has copies of its own"
        linked = {Links.of(each).closure(choice.name) for each in contents}
        if not choice.is_single and len(linked) > 1:
            return f"the levels of {choice.name} link different libraries of the wheel"
    return None


def _old_systems(platforms: Sequence[str], contents: Sequence[Contents]) -> str | None:
    """Return why the wheel runs where glibc does not search glibc-hwcaps; None if it cannot."""
    policies = [_POLICY.fullmatch(each) for each in platforms]
    floors = [(int(found[1]), int(found[2])) for found in policies if found is not None]
    by_tag = min(floors) if len(floors) == len(platforms) else (0, 0)
    by_files = max(
        (code.elf.glibc_floor or (0, 0) for each in contents for code in each.codes.values()),
        default=(0, 0),
    )
    floor = max(by_tag, by_files)
    if floor >= HWCAPS_GLIBC:
        return None
    known = f"glibc {floor[0]}.{floor[1]}" if floor > (0, 0) else "any glibc"
    return f"the wheel runs with {known}, and glibc-hwcaps needs 2.33"


def _is_musl(contents: Sequence[Contents]) -> bool:
    return any(is_musl(each) for each in contents)


def is_musl(contents: Contents) -> bool:
    """Return whether the files of a wheel are linked with musl."""
    return any(
        name.startswith("libc.musl-") or name == "libc.so"
        for code in contents.codes.values()
        for name in code.elf.needed
    )
