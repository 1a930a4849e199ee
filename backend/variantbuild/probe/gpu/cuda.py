"""CUDA toolkits: their locations and versions, and whether their parts agree.

A toolkit is identified by its compiler. cuda.h and version.json must name the same release, or no
label can be derived from the toolkit.
"""

from __future__ import annotations

import json
import posixpath
import re
from collections.abc import Iterator, Sequence
from dataclasses import replace

from variantbuild.host import Host
from variantbuild.probe.facts import Absent, Fact, Failed, Found
from variantbuild.probe.gpu.cudaplaces import Place, ToolkitChoice, found_places, named_places
from variantbuild.probe.gpu.gpufacts import Toolkit

_TIMEOUT = 10.0  # seconds; nvcc answers in 5 ms
_RELEASE = re.compile(r"release (\d+)\.(\d+), V(\d+\.\d+\.\d+)")
_CUDA_VERSION = re.compile(r"^#define CUDA_VERSION (\d+)", re.MULTILINE)
_DRY_RUN = re.compile(r"^#\$ (TOP|INCLUDES|LIBRARIES)=(.*)$", re.MULTILINE)
_PTXAS_NAME = re.compile(r"compute_(\d+[af])\b")


def probe_cuda_toolkit(
    host: Host,
    *,
    wanted: tuple[int, ...] = (),
    choice: ToolkitChoice = "auto",
    python_path: Sequence[str] = (),
) -> Fact[Toolkit]:
    """Find the CUDA toolkit of release `wanted` ((12,) or (12, 8); empty for any).

    CUDACXX, CUDA_HOME and CUDA_PATH are binding, and must agree. Otherwise nvcc on PATH, the usual
    directories, and wheels in the directories of `python_path` are tried; `choice` = "system"
    excludes the wheels, "pypi" everything else. Failed if a toolkit contradicts itself.
    """
    named = [] if choice == "pypi" else list(named_places(host))
    if named:
        return _binding(host, named, wanted)
    seen: dict[str, Fact[Toolkit]] = {}
    others: list[str] = []
    for place in found_places(host, choice, python_path):
        if place.compiler in seen:
            continue
        fact = seen[place.compiler] = _inspect(host, place)
        if not isinstance(fact, Found):
            if not wanted:
                return fact
            others.append(fact.error if isinstance(fact, Failed) else fact.reason)
        elif _matches(fact.value, wanted):
            return fact
        else:
            others.append(f"{fact.value} in {fact.value.root}")
    if others:
        return Absent(f"no CUDA {_dotted(wanted)}, only: {'; '.join(dict.fromkeys(others))}")
    where = {"auto": "PATH, /usr/local or this Python", "system": "PATH or /usr/local"}
    return Absent(f"no nvcc in {where.get(choice, 'the wheels of this Python')}")


def _binding(
    host: Host, places: Sequence[Place | Failed], wanted: tuple[int, ...]
) -> Fact[Toolkit]:
    """Return the toolkit that all variables agree on."""
    found: list[Found[Toolkit]] = []
    for place in places:
        fact = place if isinstance(place, Failed) else _inspect(host, place)
        if not isinstance(fact, Found):
            return fact
        found.append(fact)
    first = found[0]
    for other in found[1:]:
        if other.value.release != first.value.release:
            return Failed(
                f"{first.source} names {first.value} and {other.source} names {other.value}"
            )
    if not _matches(first.value, wanted):
        return Failed(
            f"CUDA {_dotted(wanted)} was requested, but {first.source} names {first.value}"
        )
    return first


def _inspect(host: Host, place: Place) -> Fact[Toolkit]:
    """Run the compiler for release and layout, and compare headers and version.json with them."""
    answer = host.run([place.compiler, "--version"], timeout=_TIMEOUT)
    if not answer.ok:
        return Failed(f"{place.compiler} ({place.source}) {answer.failure}")
    release = _RELEASE.search(answer.stdout)
    if release is None:
        return Failed(f"{place.compiler} ({place.source}) does not print its release")
    toolkit = _layout(host, place, (int(release[1]), int(release[2])), release[3])
    if isinstance(toolkit, Failed):
        return toolkit
    told = f"{place.compiler} is {toolkit}"
    for path, version in _versions(host, toolkit, place.root):
        if version != toolkit.version:
            return Failed(f"{told}, but {path} says {_dotted(version)}")
    return Found(
        replace(toolkit, architectures=_architectures(host, toolkit)),
        f"{place.source}, {place.compiler} --version",
    )


def _layout(host: Host, place: Place, version: tuple[int, int], release: str) -> Toolkit | Failed:
    """Read root, include and library directories from the compiler's dry run, as CMake does.

    nvcc may be a wrapper outside its toolkit; its dry run needs no source file and prints the
    directories that it uses (CMakeDetermineCUDACompiler.cmake, 3.25).
    """
    argv = [place.compiler, "-v", "-dryrun", "__variantbuild.cu"]
    answer = host.run(argv, timeout=_TIMEOUT)
    if answer.status is None:
        return Failed(f"{place.compiler} ({place.source}) {answer.failure} in a dry run")
    told = dict(_DRY_RUN.findall(answer.stdout + "\n" + answer.stderr))
    fallback = place.root or posixpath.dirname(posixpath.dirname(place.compiler))
    root = posixpath.normpath(told.get("TOP", "").strip().strip('"') or fallback)
    libraries = [path for path in _paths("-L", told) if not path.endswith("/stubs")]
    return Toolkit(
        kind="cuda",
        version=version,
        release=release,
        root=root,
        compiler=place.compiler,
        include=next(iter(_paths("-I", told)), posixpath.join(root, "include")),
        libraries=next(iter(libraries), posixpath.join(root, "lib64")),
        origin=place.origin,
        launcher=place.launcher,
        arguments=place.arguments,
    )


def _paths(option: str, told: dict[str, str]) -> list[str]:
    text = told.get("INCLUDES" if option == "-I" else "LIBRARIES", "")
    return [posixpath.normpath(path) for path in re.findall(rf'{option}([^"\s]+)', text)]


def _versions(
    host: Host, toolkit: Toolkit, named_root: str
) -> Iterator[tuple[str, tuple[int, ...]]]:
    """Yield path and version of every header and version.json of the toolkit."""
    roots = {toolkit.root, named_root or toolkit.root}
    headers = {toolkit.include, *(posixpath.join(root, "include") for root in roots)}
    for path in sorted(posixpath.join(path, "cuda.h") for path in headers):
        number = _CUDA_VERSION.search(host.read_text(path) or "")
        if number is not None:
            yield path, (int(number[1]) // 1000, int(number[1]) % 1000 // 10)
    for path in sorted(posixpath.join(root, "version.json") for root in roots):
        text = host.read_text(path)
        if text is not None:
            yield path, _parse_version_json(text)


def _parse_version_json(text: str) -> tuple[int, ...]:
    """Return (major, minor) from a toolkit's version.json, () if it has no readable version."""
    try:
        version = json.loads(text)["cuda"]["version"]
    except (ValueError, KeyError, TypeError):
        return ()
    found = re.match(r"(\d+)\.(\d+)", str(version))
    return (int(found[1]), int(found[2])) if found else ()


def _architectures(host: Host, toolkit: Toolkit) -> tuple[str, ...]:
    """Return the architectures of nvcc, with those of ptxas that end in `a` or `f`."""
    listed = host.run([toolkit.compiler, "--list-gpu-arch"], timeout=_TIMEOUT)
    names = re.findall(r"compute_(\d+[af]?)\b", listed.stdout) if listed.ok else []
    if not names:
        return ()
    ptxas = posixpath.join(toolkit.root, "bin", "ptxas")
    helped = host.run([ptxas, "--help"], timeout=_TIMEOUT)
    if helped.ok:
        names += [name for name in _PTXAS_NAME.findall(helped.stdout) if name[:-1] in names]
    return tuple(sorted(set(names), key=lambda name: (int(name.rstrip("af")), name)))


def _matches(toolkit: Toolkit, wanted: tuple[int, ...]) -> bool:
    return toolkit.version[: len(wanted)] == wanted


def _dotted(version: Sequence[int]) -> str:
    return ".".join(map(str, version)) or "an unreadable version"
