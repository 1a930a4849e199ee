"""What a build depends on, as one digest: two builds of the same key would give the same wheel.

The plan has most of it (variant, flags, compilers, settings, names). Here stand the source, byte
for byte, and all that a build can see besides: the interpreter, the distributions, the variables
of the environment, the C library.
"""

from __future__ import annotations

import hashlib
import os
import sys
import sysconfig
import tempfile
from collections.abc import Iterable, Mapping
from fnmatch import fnmatchcase
from pathlib import Path
from typing import cast

from variantbuild.data import load_table
from variantbuild.host import Host
from variantbuild.host.local import LocalHost
from variantbuild.plan import BuildPlan

#: Raised with every change of what a key or an entry means.
FORMAT = 1
_PORTION = 1 << 20


def build_key(
    plan: BuildPlan, env: Mapping[str, str], distributions: Iterable[tuple[str, str]]
) -> str:
    """Return the key of what `plan` would build, in hexadecimal.

    `env` is the environment of the build, `distributions` are name and version of all that can be
    imported in it. Raises OSError where the source cannot be read.
    """
    host = LocalHost(env=env, source=plan.project.path)
    return digest_parts(
        {
            "format": str(FORMAT),
            "source": digest_tree(plan.project.path),
            "plan": plan.digest,
            "compilers": "\n".join(
                f"{language} {compiler.family} {compiler.version} {identify(word)}"
                for language, compiler in plan.compilers
                for word in compiler.command  # a launcher such as ccache stands in front
            ),
            "tools": "\n".join(_identify_tools(host)),
            "rust": _describe_rust(host),
            "toolkit": "" if plan.device is None else repr(plan.device.toolkit),
            "interpreter": f"{sys.version} {sysconfig.get_config_var('SOABI')} {sys.base_prefix}",
            "distributions": "\n".join(
                sorted(f"{name} {version}" for name, version in distributions)
            ),
            "environment": "\n".join(
                f"{name}={value}" for name, value in sorted(relevant_variables(env).items())
            ),
            "libc": f"{plan.facts.libc} {plan.facts.distro}",
        }
    )


def digest_parts(parts: Mapping[str, str]) -> str:
    """Return one digest of named parts."""
    return hashlib.sha256(repr(sorted(parts.items())).encode()).hexdigest()


def digest_tree(folder: Path) -> str:
    """Return a digest of every file below `folder`: its path, whether it is executable, its bytes.

    A link counts by where it points. Times do not count.
    """
    state = hashlib.sha256()
    for place, folders, names in os.walk(folder):
        folders.sort()
        links = [name for name in folders if Path(place, name).is_symlink()]
        for name in sorted((*names, *links)):
            path = Path(place, name)
            state.update(
                f"{path.relative_to(folder).as_posix()}\0".encode("utf-8", "surrogateescape")
            )
            if path.is_symlink():
                state.update(os.fsencode(f"->{path.readlink()}\0"))
                continue
            content = hashlib.sha256()
            with path.open("rb") as stream:
                while portion := stream.read(_PORTION):
                    content.update(portion)
                executable = os.fstat(stream.fileno()).st_mode & 0o111 != 0
            state.update(content.digest() + bytes([executable]))
    return state.hexdigest()


def relevant_variables(env: Mapping[str, str]) -> dict[str, str]:
    """Return the variables that a build may read, without those of data/buildcache.json.

    PATH and PYTHONPATH count without the folders that front ends make for one build.
    """
    ignored = cast("list[str]", load_table("buildcache")["ignored"])
    kept = {
        name: value
        for name, value in env.items()
        if not any(fnmatchcase(name, pattern) for pattern in ignored)
    }
    for name in ("PATH", "PYTHONPATH"):
        entries = [
            entry
            for entry in kept.pop(name, "").split(os.pathsep)
            if entry and not _is_passing(entry)
        ]
        if entries:
            kept[name] = os.pathsep.join(entries)
    return kept


def _is_passing(folder: str) -> bool:
    """Tell whether a front end made `folder` for one build: what it holds is distributions.

    One with a compiler in it is somebody's toolchain, wherever it lies.
    """
    places = [tempfile.gettempdir()] + ([sys.prefix] if sys.prefix != sys.base_prefix else [])
    if not any(_inside(folder, place) for place in places):
        return False
    patterns = cast("list[str]", load_table("buildcache")["toolchain"])
    try:
        names = [path.name for path in Path(folder).iterdir()]
    except OSError:
        return True
    return not any(fnmatchcase(name, pattern) for name in names for pattern in patterns)


def _inside(entry: str, folder: str) -> bool:
    return entry == folder or entry.startswith(folder.rstrip(os.sep) + os.sep)


def _identify_tools(host: Host) -> list[str]:
    """Return which programs of toolchains PATH finds, and what each is on this machine."""
    found = []
    for name in cast("list[str]", load_table("buildcache")["tools"]):
        path = host.which(name)
        if path is not None and not _is_passing(str(Path(path).parent)):
            found.append(f"{name} {identify(path)}")
    return found


def _describe_rust(host: LocalHost) -> str:
    """Return what rustc says of itself in the source tree; empty where there is none.

    The program on PATH may be rustup's, which chooses the compiler by folder and by settings.
    """
    program = host.which(host.env.get("RUSTC") or "rustc")
    return "" if program is None else host.run([program, "-vV"], cwd=host.source).stdout


def identify(path: str) -> str:
    """Return what a program or library on disk is told apart by: real path, size and time."""
    try:
        real = Path(path).resolve()
        status = real.stat()
    except OSError:
        return f"{path} missing"
    return f"{real} {status.st_size} {status.st_mtime_ns}"


def visible_distributions() -> list[tuple[str, str]]:
    """Return name and version of every distribution that this process can import."""
    from importlib.metadata import distributions

    found = []
    for distribution in distributions():
        metadata = distribution.metadata
        found.append((str(metadata["Name"]), distribution.version))
    return found
