"""The C library of this interpreter, which its extension modules are linked against."""

from __future__ import annotations

import re

from variantbuild.host import Host
from variantbuild.probe.facts import Absent, Fact, Failed, Found, Libc

_MAPS = "/proc/self/maps"


def probe_libc(host: Host) -> Fact[Libc]:
    """Return the C library of the running interpreter, and its version.

    glibc reports its own version; musl's loader, found among the files mapped into this process,
    prints it when run without arguments (PEP 656).
    """
    if host.system != "Linux":
        return Absent(f"{host.system} has neither glibc nor musl")
    told = host.confstr("CS_GNU_LIBC_VERSION")
    if told:
        match = re.fullmatch(r"glibc (\d+)\.(\d+).*", told)
        if match is None:
            return Failed(f"confstr(CS_GNU_LIBC_VERSION) returned {told!r}, not 'glibc X.Y'")
        version = (int(match[1]), int(match[2]))
        return Found(Libc(name="glibc", version=version), "confstr(CS_GNU_LIBC_VERSION)")
    loader = re.search(
        r"(/\S*ld-musl-[^/\s]+\.so\.1|/\S*libc\.musl-[^/\s]+\.so\.1)$", _maps(host), re.M
    )
    if loader is None:
        return Absent(
            f"the C library does not report a glibc version, and no musl loader is in {_MAPS}"
        )
    # Prints its version and usage on standard error and exits with 1.
    answer = host.run([loader[1]])
    match = re.match(r"musl libc.*\nVersion (\d+)\.(\d+)", answer.stderr)
    if match is None:
        how = answer.failure or "exited with status 0"
        return Failed(f"the musl loader {loader[1]} {how} and printed no version")
    return Found(Libc(name="musl", version=(int(match[1]), int(match[2]))), loader[1])


def _maps(host: Host) -> str:
    return host.read_text(_MAPS) or ""
