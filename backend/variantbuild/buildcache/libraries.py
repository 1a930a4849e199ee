"""The libraries that a finished wheel links outside of itself, and what each is on this machine.

A wheel built against one of them may not suit another: an entry holds only while they are the same.
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
    """Return the libraries that the wheel's files need and the wheel does not hold.

    Each is its name, and behind it the folders that the file names to look in (RUNPATH), all
    joined as in PATH.
    """
    from variantbuild.audit.linked import read_linked
    from variantbuild.wheel import open_wheel, verify_wheel

    with open_wheel(wheel_path) as wheel:
        verify_wheel(wheel, trust_record=True)
        found = {
            os.pathsep.join((name, *file.run_paths))
            for file in read_linked(wheel)
            for name in file.outside
        }
    return tuple(sorted(found))


def identify_libraries(libraries: Sequence[str], host: Host) -> dict[str, str]:
    """Return for each library what the loader would find: path, size and time; '' for none.

    Looks as ld.so does: LD_LIBRARY_PATH, RUNPATH, its cache (ld.so(8)). An RPATH of old, which
    comes before LD_LIBRARY_PATH, counts as a RUNPATH. What lies relative to the installed module
    ($ORIGIN) cannot be known here.
    """
    if not libraries:
        return {}
    cached = _loader_cache(host)
    first = [folder for folder in host.env.get("LD_LIBRARY_PATH", "").split(os.pathsep) if folder]
    found = {}
    for library in libraries:
        name, *run_paths = library.split(os.pathsep)
        found[library] = "" if _moves(run_paths) else _find(name, [*first, *run_paths], cached)
    return found


def explain(library: str) -> str:
    """Say why a library of a wheel is not told apart from another of its name."""
    name, *run_paths = library.split(os.pathsep)
    if moving := _moves(run_paths):
        return f"{name} is looked for in {moving}, beside the installed wheel"
    return f"{name} is not where the system's loader looks"


def _moves(run_paths: Sequence[str]) -> str:
    """Return the first folder that is not the same for every installed copy; '' without one."""
    return next((folder for folder in run_paths if not Path(folder).is_absolute()), "")


def _find(name: str, folders: Sequence[str], cached: Mapping[str, str]) -> str:
    for folder in folders:
        path = Path(folder, name)
        if path.is_file():
            return identify(str(path))
    return identify(cached[name]) if name in cached else ""


def _loader_cache(host: Host) -> dict[str, str]:
    """Return the first path of each library in ld.so's cache; nothing where there is none."""
    program = next((path for path in _LDCONFIG if Path(path).exists()), None)
    if program is None:
        return {}
    found: dict[str, str] = {}
    for line in host.run([program, "-p"]).stdout.splitlines():
        if (match := _LINE.match(line)) is not None:
            found.setdefault(match[1], match[2])
    return found
