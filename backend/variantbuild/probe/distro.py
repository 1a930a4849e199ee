"""The distribution, from os-release."""

from __future__ import annotations

import re

from variantbuild.host import Host
from variantbuild.probe.facts import Absent, Distro, Fact, Failed, Found

_PATHS = ("/etc/os-release", "/usr/lib/os-release")
_LINE = re.compile(
    r"""^(?P<key>[A-Z][A-Z0-9_]*)=(?:"(?P<double>(?:[^"\\]|\\.)*)"|'(?P<single>[^']*)'|(?P<bare>\S*))\s*$""",
    re.M,
)


def probe_distro(host: Host) -> Fact[Distro]:
    """Return the distribution's ID and VERSION_ID as os-release writes them.

    VERSION_ID is empty for rolling releases. Source: os-release(5), where /etc takes precedence
    over /usr/lib.
    """
    if host.system != "Linux":
        return Absent(f"{host.system} has no distributions")
    for path in _PATHS:
        text = host.read_text(path)
        if text is None:
            continue
        values = parse_os_release(text)
        if not re.fullmatch(r"[a-z0-9._-]+", values.get("ID", "linux")):
            return Failed(f"{path} has a malformed ID: {values['ID']!r}")
        distro = Distro(id=values.get("ID", "linux"), version_id=values.get("VERSION_ID", ""))
        return Found(distro, path)
    return Absent(f"neither {_PATHS[0]} nor {_PATHS[1]} exists")


def parse_os_release(text: str) -> dict[str, str]:
    """Return the assignments of an os-release file, unquoted as in a shell; later ones win."""
    values = {}
    for match in _LINE.finditer(text):
        if match["double"] is not None:
            values[match["key"]] = re.sub(r'\\([$"\\`])', r"\1", match["double"])
        else:
            values[match["key"]] = match["single"] or match["bare"] or ""
    return values
