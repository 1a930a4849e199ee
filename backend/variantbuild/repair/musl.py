"""Which musllinux policy a wheel is for, if none is named: musl symbols have no versions."""

from __future__ import annotations

from variantbuild.host import Host
from variantbuild.probe.facts import Found
from variantbuild.probe.libc import probe_libc
from variantbuild.stamp.declared import Declared
from variantbuild.tags.manylinux import Policy, musl_policy, parse_policy
from variantbuild.tags.platform import machine_of


def find_musl(declared: Declared, host: Host) -> Found[Policy] | None:
    """Return the musllinux policy that a wheel's own tag names, else that of this machine's musl.

    The source is its origin. A wheel links the musl of the system that it was built on
    (PEP 656), which is this one where repair follows the build in one container; None on a glibc
    system, or for another CPU architecture.
    """
    for platform in declared.platforms:
        if platform.startswith("musllinux_"):
            return Found(parse_policy(platform), f"the tag {platform}")
    libc = probe_libc(host)
    if (
        host.machine != machine_of(declared.platforms[0])
        or not isinstance(libc, Found)
        or libc.value.name != "musl"
    ):
        return None
    major, minor = libc.value.version
    policy = musl_policy(f"musllinux_{major}_{minor}")
    return Found(policy, f"this machine's musl {major}.{minor}")
