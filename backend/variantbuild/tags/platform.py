"""Platform tags: which plain platform and which variant one names."""

from __future__ import annotations

import re

from variantbuild.errors import VariantError
from variantbuild.variant import Variant

# Source: the platform compatibility tags of the PyPA specifications (PEP 425, 600, 656), and
# sysconfig.get_platform() for the rest. Longer names stand before their own beginnings.
_SYSTEM = (
    r"linux|manylinux1|manylinux2010|manylinux2014|manylinux_\d+_\d+|musllinux_\d+_\d+"
    r"|macosx_\d+_\d+|win|freebsd_[0-9_]*?(?:release|stable)|android_\d+"
)
_MACHINES = {
    "x86_64": "x86_64",
    "amd64": "x86_64",
    "aarch64": "aarch64",
    "arm64": "aarch64",
    "ppc64le": "ppc64le",
    "ppc64": "ppc64",
    "riscv64": "riscv64",
    "s390x": "s390x",
    "loongarch64": "loongarch64",
    "armv7l": "arm",
    "armv6l": "arm",
    "i686": "x86",
    "i386": "x86",
    "universal2": "universal2",
}
_TAG = re.compile(rf"((?:{_SYSTEM})_({'|'.join(_MACHINES)}))((?:_.+)?)", re.ASCII)


def split_platform(tag: str) -> tuple[str, Variant]:
    """Part a platform `tag` into the plain platform and the variant behind it.

    `linux_x86_64_v3_cu12` gives `linux_x86_64` and the variant `cu12.v3`. Tags without a machine
    (`any`, `win32`) come back whole with a variant that names nothing. Raises VariantError for
    an unknown suffix.
    """
    found = _TAG.fullmatch(tag)
    if found is None:
        return tag, Variant(arch="")
    platform, machine, suffix = found.groups()
    try:
        return platform, Variant.parse(suffix, _MACHINES[machine])
    except VariantError as error:
        raise VariantError(f"platform tag {tag!r}: {error.message}", hint=error.hint) from error


def join_platform(platform: str, variant: Variant) -> str:
    """Return the specific tag of `platform` for `variant`; the plain one for the baseline."""
    return platform + variant.platform_suffix
