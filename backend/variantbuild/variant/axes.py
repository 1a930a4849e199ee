"""The axes other than the CPU: accelerator and distribution."""

from __future__ import annotations

import re
from functools import cache
from typing import NamedTuple, TypedDict, cast

from variantbuild.data import load_table
from variantbuild.errors import VariantError
from variantbuild.isa.accelerators import AcceleratorKind
from variantbuild.isa.cpus import suggest
from variantbuild.values import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class Accelerator:
    """A GPU platform and the (major,) or (major, minor) version of its toolkit."""

    kind: AcceleratorKind
    version: tuple[int, ...]

    def __post_init__(self) -> None:
        # With one digit, `cu92` could mean both CUDA 92 and CUDA 9.2.
        majors = range(10, 100) if self.kind == "cuda" else range(1, 1000)
        if len(self.version) not in (1, 2) or self.version[0] not in majors:
            shown = ".".join(map(str, self.version))
            raise VariantError(
                f"{self.kind} {shown or 'without a version'} cannot be written as a label"
            )

    def __str__(self) -> str:
        if self.kind == "cuda":
            return "cu" + "".join(map(str, self.version))
        return "rocm" + ".".join(map(str, self.version))


@dataclass(frozen=True, kw_only=True, slots=True)
class DistroLabel:
    """A distribution as labels name it: `fc` and (39,), `ubuntu` and (22, 4), `arch` and ()."""

    name: str
    version: tuple[int, ...]

    def __post_init__(self) -> None:
        if self.name not in _distros().names:
            near = suggest(self.name, _distros().names)
            raise VariantError(
                f"unknown distribution {self.name!r}", hint=near and f"did you mean {near!r}?"
            )

    def __str__(self) -> str:
        numbers = [str(number) for number in self.version]
        if len(numbers) > 1 and self.name in _distros().two_digit_minor:
            numbers[1] = numbers[1].zfill(2)
        return self.name + ".".join(numbers)

    @classmethod
    def of(cls, distro_id: str, version_id: str) -> DistroLabel:
        """Return the label for ID and VERSION_ID, both as written in os-release(5).

        Distributions with compatible binaries share a label: RHEL 9.4 and Rocky 9 are `el9`.
        Raises VariantError for a distribution without an entry in data/distros.json, or a
        version that is not a number.
        """
        entry = _distros().ids.get(distro_id.lower())
        if entry is None:
            raise VariantError(
                f"os-release names the distribution {distro_id!r}, which has no label",
                hint="set `distro = false`, or request an entry in data/distros.json",
            )
        name, parts = entry
        if not re.fullmatch(r"(\d+(\.\d+)*)?", version_id, re.ASCII):
            raise VariantError(f"VERSION_ID {version_id!r} in os-release is not a version number")
        numbers = tuple(int(part) for part in version_id.split(".") if part)
        return cls(name=name, version=numbers[:parts])


def distro_names() -> frozenset[str]:
    """Return the names that labels use for distributions."""
    return _distros().names


class _Distros(NamedTuple):
    ids: dict[str, tuple[str, int]]
    names: frozenset[str]
    two_digit_minor: frozenset[str]


class _DistroEntry(TypedDict):
    label: str
    parts: int


class _DistroTable(TypedDict):
    ids: dict[str, _DistroEntry]
    two_digit_minor: list[str]


@cache
def _distros() -> _Distros:
    table = cast("_DistroTable", load_table("distros"))
    ids = {name: (entry["label"], entry["parts"]) for name, entry in table["ids"].items()}
    names = frozenset(label for label, _ in ids.values())
    return _Distros(ids, names, frozenset(table["two_digit_minor"]))
