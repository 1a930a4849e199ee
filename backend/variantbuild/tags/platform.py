"""Splits platform tags into the plain platform and the variant."""

from __future__ import annotations

import re
from functools import cache

from variantbuild.errors import VariantError
from variantbuild.isa.architecture import machine_names
from variantbuild.values import dataclass
from variantbuild.variant import Variant

# Source: the platform compatibility tags of the PyPA specifications (PEP 425, 600, 656), and
# sysconfig.get_platform() for the rest. Longer names come before their own prefixes.
_SYSTEM = (
    r"linux|manylinux1|manylinux2010|manylinux2014|manylinux_\d+_\d+|musllinux_\d+_\d+"
    r"|macosx_\d+_\d+|win|freebsd_[0-9_]*?(?:release|stable)|android_\d+"
)


@dataclass(frozen=True, kw_only=True, slots=True)
class PlatformTag:
    """A platform tag, read: `linux_x86_64_v3_cu12`.

    `plain` is the platform without the variant (`linux_x86_64`), `machine` the name of the machine
    at its end, empty for `any`, `win32` and unknown tags. `architectures` are archspec's names for
    that machine: two for `universal2`. `variant` is None unless there is exactly one, and names
    nothing for a plain tag.
    """

    plain: str
    machine: str = ""
    architectures: tuple[str, ...] = ()
    variant: Variant | None = None

    @property
    def is_stamped(self) -> bool:
        """Return whether the tag names a variant."""
        return self.variant is not None and not self.variant.is_baseline

    @classmethod
    def parse(cls, tag: str) -> PlatformTag:
        """Read a platform tag. Raises VariantError for a suffix that does not name a variant."""
        found = _pattern().fullmatch(tag)
        if found is None:
            return cls(plain=tag)
        plain, machine, suffix = found.groups()
        archs = machine_names()[machine]
        if len(archs) > 1:
            if suffix:
                raise VariantError(f"platform tag {tag!r}: {machine} has no variants")
            return cls(plain=plain, machine=machine, architectures=archs)
        try:
            variant = Variant.parse(suffix, archs[0])
        except VariantError as error:
            raise VariantError(f"platform tag {tag!r}: {error.message}", hint=error.hint) from error
        return cls(plain=plain, machine=machine, architectures=archs, variant=variant)


def join_platform(platform: str, variant: Variant) -> str:
    """Return the specific tag of `platform` for `variant`; the plain one for the baseline."""
    return platform + variant.platform_suffix


def machine_of(platform: str) -> str:
    """Return the machine at the end of a plain platform, as written in tags; empty if none."""
    found = _pattern().fullmatch(platform)
    return "" if found is None or found[3] else found[2]


@cache
def _pattern() -> re.Pattern[str]:
    machines = "|".join(sorted(machine_names(), key=len, reverse=True))
    return re.compile(rf"((?:{_SYSTEM})_({machines}))((?:_.+)?)", re.ASCII)
