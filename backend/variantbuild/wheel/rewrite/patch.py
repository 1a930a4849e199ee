"""Plans a manual edit of a wheel: a label for the version, and requirements."""

from __future__ import annotations

import re
from collections.abc import Sequence

from variantbuild.errors import WheelError
from variantbuild.wheel.distinfo.headers import HeaderLine, Headers
from variantbuild.wheel.filename import join_local, normal_name
from variantbuild.wheel.rewrite.edit import Edit, NewMember, Plan, plan_edit
from variantbuild.wheel.verify import Inventory

_NAME = r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?"
_EXTRA = r"""extra\s*==\s*(["'])([^"']*)\1"""


def plan_patch(
    inventory: Inventory,
    *,
    local: str | None = None,
    remove_requires: Sequence[str] = (),
    add_requires: Sequence[str] = (),
    add: tuple[NewMember, ...] = (),
) -> Plan:
    """Plan to append `local` to the version of a wheel, and to change its requirements.

    `remove_requires` are names: every Requires-Dist of that name is removed, in any spelling (PEP
    503), with or without extras and markers. `add_requires` are requirements (PEP 508) to insert
    after the last one; `add` are new dist-info members. Raises WheelError for a name without a
    match, a requirement that is invalid, already present or needs an extra that the project does
    not have, and if there is nothing to do.
    """
    if local is None and not remove_requires and not add_requires and not add:
        raise WheelError(
            "nothing to patch", hint="give --local, --remove-requires or --add-requires"
        )
    headers = inventory.metadata
    requires = headers.all("Requires-Dist")
    drop = _matching(requires, remove_requires, inventory.path.name)
    kept = [line.value for line in requires if line not in drop]
    fresh = [_requirement(text, kept, headers) for text in dict.fromkeys(add_requires)]
    metadata = headers.replaced(
        dict.fromkeys(drop),
        insert=[f"Requires-Dist: {text}".encode() for text in fresh],
        after=requires[-1] if requires else None,
    )
    version = None if local is None else join_local(inventory.version, local)
    return plan_edit(inventory, Edit(version=version, metadata=metadata, add=add))


def add_requires(headers: Headers, requirements: Sequence[str]) -> bytes:
    """Return the bytes of METADATA with `requirements` (PEP 508) after the last Requires-Dist.

    Those already present are skipped. Raises WheelError as `plan_patch` does.
    """
    requires = headers.all("Requires-Dist")
    present = {_canonical(line.value) for line in requires}
    missing = [text for text in requirements if _canonical(text) not in present]
    fresh = [_requirement(text, (), headers) for text in missing]
    return headers.replaced(
        {},
        insert=[f"Requires-Dist: {text}".encode() for text in fresh],
        after=requires[-1] if requires else None,
    )


def _canonical(requirement: str) -> str:
    """Return `requirement` as packaging writes it, unchanged if it cannot be parsed."""
    from packaging.requirements import InvalidRequirement, Requirement

    try:
        return str(Requirement(requirement))
    except InvalidRequirement:
        return requirement


def _matching(
    requires: Sequence[HeaderLine], names: Sequence[str], wheel: str
) -> tuple[HeaderLine, ...]:
    present = [(_project(line.value), line) for line in requires]
    drop: dict[HeaderLine, None] = {}
    for name in names:
        if re.fullmatch(_NAME, name) is None:
            raise WheelError(
                f"{name!r} is not a valid project name",
                hint="give only the name: entries with extras and markers are removed too",
            )
        found = [line for project, line in present if project == normal_name(name)]
        if not found:
            others = ", ".join(sorted({project for project, _ in present})) or "nothing"
            raise WheelError(f"{wheel} does not require {name!r}: it requires {others}")
        drop.update(dict.fromkeys(found))
    return tuple(drop)


def _project(requirement: str) -> str:
    match = re.match(_NAME, requirement)
    return "" if match is None else normal_name(match[0])


def _requirement(text: str, present: Sequence[str], headers: Headers) -> str:
    """Return the requirement `text` in the form for METADATA."""
    from packaging.requirements import InvalidRequirement, Requirement

    try:
        written = str(Requirement(text))
    except InvalidRequirement as error:
        reason = str(error).partition("\n")[0]
        raise WheelError(f"{text!r} is not a valid requirement: {reason}") from None
    # A line ending, which packaging accepts in a URL, would begin another header.
    if not written.isprintable():
        raise WheelError(f"{text!r} is not a valid requirement: it contains control characters")
    if written in map(_canonical, present):
        raise WheelError(f"the wheel already requires {written!r}")
    extras = {normal_name(line.value) for line in headers.all("Provides-Extra")}
    for _, extra in re.findall(_EXTRA, written):
        if normal_name(extra) not in extras:
            raise WheelError(
                f"{text!r} needs the extra {extra!r}, which the project does not have",
                hint=f"it has {', '.join(sorted(extras)) or 'none'}",
            )
    return written
