"""Everything that a build depends on, as one digest: builds with the same key give the same wheel.

The plan covers variant, flags, compilers, settings and names. Added here are the bytes of the
source, and everything else that a build can see: the interpreter, the installed distributions, the
environment variables, the C library.
"""

from __future__ import annotations

import hashlib
import os
import sys
import sysconfig
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict
from fnmatch import fnmatchcase
from pathlib import Path
from typing import cast

from variantbuild.buildcache.snapshot import add_file
from variantbuild.buildcache.surroundings import describe_searched, describe_system
from variantbuild.config.canonical import digest_json
from variantbuild.data import load_table
from variantbuild.host import Host
from variantbuild.host.local import LocalHost
from variantbuild.plan import BuildPlan
from variantbuild.probe.facts import Compiler, Language

#: Incremented with every change in the meaning of a key or an entry.
FORMAT = 2


def build_key(
    plan: BuildPlan, env: Mapping[str, str], distributions: Iterable[tuple[str, str]]
) -> str:
    """Return the key of what `plan` would build, in hexadecimal.

    `env` is the environment of the build, `distributions` are name and version of everything that
    can be imported in it. Raises OSError if the source cannot be read.
    """
    return digest_parts(
        {
            **environment_parts(plan, env, distributions),
            "source": digest_tree(plan.project.path),
            "plan": plan.digest,
        }
    )


def environment_parts(
    plan: BuildPlan, env: Mapping[str, str], distributions: Iterable[tuple[str, str]]
) -> dict[str, str]:
    """Return what the build of `plan` depends on besides the plan and the source, by name."""
    host = LocalHost(env=env, source=plan.project.path)
    relevant = relevant_variables(env)
    return {
        "format": str(FORMAT),
        "compilers": "\n".join(
            f"{language} {compiler.family} {compiler.version} {identify(word)}"
            for language, compiler in plan.compilers
            for word in compiler.command  # a launcher such as ccache comes first
        ),
        "parts of compilers": "\n".join(
            line
            for language, compiler in plan.compilers
            for line in _describe_compiler(host, language, compiler)
        ),
        "tools": "\n".join(_identify_tools(host)),
        "rust": _describe_rust(host),
        "toolkit": "" if plan.device is None else digest_json(asdict(plan.device.toolkit)),
        "interpreter": f"{sys.version} {sysconfig.get_config_var('SOABI')} {sys.base_prefix}",
        "distributions": "\n".join(sorted(f"{name} {version}" for name, version in distributions)),
        "environment": "\n".join(f"{name}={value}" for name, value in sorted(relevant.items())),
        "searched": describe_searched(relevant, plan.project.path),
        "system": describe_system(),
        "libc": f"{plan.facts.libc} {plan.facts.distro}",
    }


def digest_parts(parts: Mapping[str, str]) -> str:
    """Return one digest of named parts."""
    return digest_json(dict(parts))


def digest_tree(directory: Path) -> str:
    """Return a digest of every file below `directory`: path, executable or not, bytes.

    Of a link only its target counts. Timestamps do not count, nor do the directories that every
    build writes anew.
    """
    generated = cast("list[str]", load_table("buildcache")["generated"])
    state = hashlib.sha256()
    for place, directories, names in os.walk(directory):
        directories[:] = sorted(name for name in directories if name not in generated)
        links = [name for name in directories if Path(place, name).is_symlink()]
        for name in sorted((*names, *links)):
            path = Path(place, name)
            add_file(state, path.relative_to(directory).as_posix(), path)
    return state.hexdigest()


def relevant_variables(env: Mapping[str, str]) -> dict[str, str]:
    """Return the variables that a build may read, except those listed in data/buildcache.json.

    Directories that front ends create for one build are removed from PATH and PYTHONPATH.
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
            if entry and not _is_temporary(entry)
        ]
        if entries:
            kept[name] = os.pathsep.join(entries)
    return kept


def _is_temporary(directory: str) -> bool:
    """Return whether a front end created `directory` for the distributions of one build.

    A directory with a compiler is a toolchain, wherever it is.
    """
    places = [tempfile.gettempdir()] + ([sys.prefix] if sys.prefix != sys.base_prefix else [])
    if not any(_inside(directory, place) for place in places):
        return False
    patterns = cast("list[str]", load_table("buildcache")["toolchain"])
    try:
        names = [path.name for path in Path(directory).iterdir()]
    except OSError:
        return True
    return not any(fnmatchcase(name, pattern) for name in names for pattern in patterns)


def _inside(entry: str, directory: str) -> bool:
    return entry == directory or entry.startswith(directory.rstrip(os.sep) + os.sep)


def _identify_tools(host: Host) -> list[str]:
    """Return the toolchain programs on PATH, and what identifies each on this machine."""
    found = []
    for name in cast("list[str]", load_table("buildcache")["tools"]):
        path = host.which(name)
        if path is not None and not _is_temporary(str(Path(path).parent)):
            found.append(f"{name} {identify(path)}")
    return found


def _describe_rust(host: LocalHost) -> str:
    """Return the output of `rustc -vV` in the source tree; empty without rustc.

    The program on PATH may be rustup's, which selects the compiler by directory and settings.
    """
    program = host.which(host.env.get("RUSTC") or "rustc")
    return "" if program is None else host.run([program, "-vV"], cwd=host.source).stdout


def _describe_compiler(host: LocalHost, language: Language, compiler: Compiler) -> Iterator[str]:
    """Yield what identifies the parts of a compiler, which may be a local build of its version.

    The programs that users call are small drivers; the compiler proper is a file of its own.
    """
    yield host.run([*compiler.command, "--version"]).stdout
    if compiler.family not in ("gcc", "clang"):
        return
    part = {"c": "cc1", "cxx": "cc1plus", "fortran": "f951"}.get(language, "cc1")
    for option in (f"-print-prog-name={part}", "-print-libgcc-file-name", "-print-sysroot"):
        answer = host.run([*compiler.command, option]).stdout.strip()
        yield f"{option} {identify(answer) if answer.startswith('/') else answer}"


def identify(path: str) -> str:
    """Return what identifies a program or library on disk: real path, size and timestamp."""
    try:
        real = Path(path).resolve()
        status = real.stat()
    except OSError:
        return f"{path} missing"
    return f"{real} {status.st_size} {status.st_mtime_ns}"
