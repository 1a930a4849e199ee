"""The files of a wheel that are code for another machine on purpose, and their record."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from variantbuild.audit import AuditReport, audit_open_wheel
from variantbuild.audit.exempt import exempt_files, exempt_members
from variantbuild.audit.linked import LinkedFile, read_linked
from variantbuild.stamp.declared import Declared
from variantbuild.stamp.exemptions import exemptions
from variantbuild.wheel import Wheel


@dataclass(frozen=True, kw_only=True, slots=True)
class Foreign:
    """The files of a wheel for `arch` that are code for another machine on purpose."""

    patterns: tuple[str, ...]
    arch: str

    @classmethod
    def find(cls, wheel: Wheel, declared: Declared, patterns: Sequence[str]) -> Foreign:
        """Return the files that `patterns` or the wheel's own record name."""
        return cls(patterns=tuple(exemptions(patterns)(wheel)), arch=architecture_of(declared))

    def read_linked(self, wheel: Wheel) -> tuple[LinkedFile, ...]:
        """Return what all other ELF files link."""
        return read_linked(wheel, skip=exempt_members(wheel, self.patterns, self.arch))

    def audit(self, wheel: Wheel) -> AuditReport:
        """Return the report on the wheel, in which they count as data."""
        return exempt_files(audit_open_wheel(wheel, jobs=2), self.patterns, self.arch)


def architecture_of(declared: Declared) -> str:
    """Return the first architecture of the tags; '' for none."""
    return next(iter(declared.architectures), "")
