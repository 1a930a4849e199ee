"""The libraries that a finished wheel links to and does not contain.

A wheel built against one version of a library may not work with another, so an entry is valid only
while the libraries on this machine are the same.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from variantbuild.buildcache.key import identify
from variantbuild.host import Host

_LDCONFIG = ("/sbin/ldconfig", "/usr/sbin/ldconfig")
_LINE = re.compile(r"^\s*(\S+) \(.*\) => (\S+)$")


def linked_outside(wheel_path: Path) -> tuple[str, ...]:
    """Return the libraries that the wheel's files need and the wheel does not contain.

    Each is the name, followed by the directories of the file's RUNPATH, joined as in PATH.
    """
    from variantbuild.audit.linked import read_linked
    from variantbuild.stamp.exemptions import exemptions
    from variantbuild.wheel import open_wheel, verify_wheel

    with open_wheel(wheel_path) as wheel:
        verify_wheel(wheel, trust_record=True, exempt=exemptions())
        found = {
            os.pathsep.join((name, *file.run_paths))
            for file in read_linked(wheel)
            for name in file.outside
        }
    return tuple(sorted(found))


def identify_libraries(libraries: Sequence[str], host: Host) -> dict[str, str]:
    """Return what the loader would find for each library: path, size and timestamp; '' for none.

    Searches like ld.so: LD_LIBRARY_PATH, RUNPATH, its cache (ld.so(8)). The deprecated RPATH, which
    comes before LD_LIBRARY_PATH, counts as a RUNPATH. Directories relative to the installed module
    ($ORIGIN) are not known here.
    """
    if not libraries:
        return {}
    cached = _loader_cache(host)
    first = [entry for entry in host.env.get("LD_LIBRARY_PATH", "").split(os.pathsep) if entry]
    found = {}
    for library in libraries:
        name, *run_paths = library.split(os.pathsep)
        found[library] = "" if _moves(run_paths) else _find(name, [*first, *run_paths], cached)
    return found


def explain(library: str) -> str:
    """Explain why a library of a wheel cannot be identified."""
    name, *run_paths = library.split(os.pathsep)
    if moving := _moves(run_paths):
        return f"{name} is searched for in {moving}, relative to the installed wheel"
    return f"{name} is not in the directories that the dynamic loader searches"


def _moves(run_paths: Sequence[str]) -> str:
    """Return the first directory that depends on where the wheel is installed; '' if none does."""
    return next((directory for directory in run_paths if not Path(directory).is_absolute()), "")


def _find(name: str, directories: Sequence[str], cached: Mapping[str, str]) -> str:
    for directory in directories:
        path = Path(directory, name)
        if path.is_file():
            return identify(str(path))
    return identify(cached[name]) if name in cached else ""


def _loader_cache(host: Host) -> dict[str, str]:
    """Return the first path of each library in ld.so's cache; nothing without a cache."""
    program = next((path for path in _LDCONFIG if Path(path).exists()), None)
    if program is None:
        return {}
    found: dict[str, str] = {}
    for line in host.run([program, "-p"]).stdout.splitlines():
        if (match := _LINE.match(line)) is not None:
            found.setdefault(match[1], match[2])
    return found
