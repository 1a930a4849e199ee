"""ROCm toolkits and AMD's GPUs.

Debian installs ROCm into /usr; elsewhere it has its own directory. GPUs are read from the kernel's
KFD topology, so no program is run for them.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator
from dataclasses import replace

from variantbuild.host import Host
from variantbuild.probe.facts import Absent, Fact, Failed, Found
from variantbuild.probe.gpu.devicecommand import parse_device_command
from variantbuild.probe.gpu.gpufacts import Driver, Gpu, Toolkit
from variantbuild.values import dataclass

_TIMEOUT = 10.0  # seconds; Debian's hipconfig, a Perl script, takes 0.3
# Where hipcc finds its device libraries: ROCm 6 and 7, older ones, Debian.
_DEVICE_LIBRARIES = (
    "{root}/amdgcn/bitcode",
    "{root}/lib/llvm/lib/clang/*/lib/amdgcn/bitcode",
    "{root}/lib/*/amdgcn/bitcode",
)
_TOPOLOGY = "/sys/class/kfd/kfd/topology/nodes"
_VERSION = re.compile(r"(\d+)\.(\d+)(?:\.\d+)?")
_HIP_VERSION = re.compile(r"^HIP_VERSION_(MAJOR|MINOR|PATCH)=(\d+)$", re.MULTILINE)
# With nvcc on PATH, hipcc and hipconfig would otherwise act as wrappers around it.
_AMD = {"HIP_PLATFORM": "amd"}


def probe_rocm_toolkit(host: Host, *, wanted: tuple[int, ...] = ()) -> Fact[Toolkit]:
    """Find the ROCm toolkit of release `wanted` ((6,) or (6, 4); empty for any).

    ROCM_PATH and HIP_PATH are binding; then hipcc on PATH and /opt/rocm are tried. The version
    comes from .info/version or share/hip/version, and from hipconfig where neither is there.
    """
    others: list[str] = []
    failed: Failed | None = None
    for place in _places(host):
        fact = place if isinstance(place, Failed) else _inspect(host, place)
        if isinstance(place, Failed) or (isinstance(fact, Failed) and place.named):
            return fact
        if isinstance(fact, Failed):
            # /usr/bin/hipcc may be a link into /opt/rocm, which comes next.
            failed = failed or fact
        elif isinstance(fact, Found) and fact.value.version[: len(wanted)] == wanted:
            command = parse_device_command(host, "HIPCXX")
            if isinstance(command, Failed):
                return command
            toolkit = _with_architectures(host, fact.value)
            if command is not None:
                toolkit = replace(toolkit, launcher=command.launcher, arguments=command.arguments)
            return Found(toolkit, fact.source)
        elif isinstance(fact, Found):
            others.append(f"{fact.value} in {fact.value.root}")
            if place.named:
                break
    if others:
        return Absent(f"no ROCm {_dotted(wanted)}, only: {'; '.join(dict.fromkeys(others))}")
    return failed or Absent("no hipcc on PATH or in /opt/rocm")


def probe_amd(host: Host) -> tuple[Fact[Driver], Fact[tuple[Gpu, ...]]]:
    """Return the kernel's driver and the GPUs of the KFD topology."""
    if host.system != "Linux" or not (nodes := host.glob(f"{_TOPOLOGY}/*/properties")):
        reason = Absent(f"no AMD GPU driver: {_TOPOLOGY} does not exist")
        return reason, reason
    gpus = [gpu for path in nodes if (gpu := _parse_node(host, path)) is not None]
    path = "/sys/module/amdgpu/version"
    version = (host.read_text(path) or "").strip()
    driver = Found(Driver(version=version or "the kernel's own"), path if version else _TOPOLOGY)
    return driver, Found(tuple(gpus), _TOPOLOGY) if gpus else Absent(f"no GPU in {_TOPOLOGY}")


def parse_gfx_version(number: int) -> str:
    """Return the name of a `gfx_target_version`: 90010 is gfx90a, 110501 is gfx1151.

    Source: the kernel's kfd_topology; decimal major, minor and stepping, the latter two in hex in
    the name.
    """
    return f"gfx{number // 10000}{number // 100 % 100:x}{number % 100:x}"


def _parse_node(host: Host, path: str) -> Gpu | None:
    found = re.search(r"^gfx_target_version (\d+)$", host.read_text(path) or "", re.MULTILINE)
    if found is None or int(found[1]) == 0:
        return None  # node 0 is the CPU
    architecture = parse_gfx_version(int(found[1]))
    name = (host.read_text(posixpath.join(posixpath.dirname(path), "name")) or "").strip()
    return Gpu(name=name or architecture, architecture=architecture)


@dataclass(frozen=True, kw_only=True, slots=True)
class _Place:
    """A possible location of a toolkit; `named` if a variable names it, which makes it binding."""

    compiler: str
    root: str
    source: str
    named: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class _Told:
    """A version (major, minor), the full release, and the file or command that they are from."""

    source: str
    version: tuple[int, int]
    release: str


def _places(host: Host) -> Iterator[_Place | Failed]:
    for name in ("ROCM_PATH", "HIP_PATH"):
        root = host.env.get(name, "")
        if root:
            path = posixpath.join(root, "bin", "hipcc")
            if posixpath.isabs(root) and host.glob(path):
                yield _Place(compiler=path, root=root, source=f"{name}={root}", named=True)
            else:
                yield Failed(f"{name}={root} has no bin/hipcc")
    on_path = host.which("hipcc")
    if on_path is not None:
        root = posixpath.dirname(posixpath.dirname(on_path))
        yield _Place(compiler=on_path, root=root, source=f"{on_path} on PATH")
    for pattern in ("/opt/rocm/bin/hipcc", "/opt/rocm-[0-9]*/bin/hipcc"):
        for path in reversed(host.glob(pattern)):
            root = posixpath.dirname(posixpath.dirname(path))
            yield _Place(compiler=path, root=root, source=root)


def _inspect(host: Host, place: _Place) -> Fact[Toolkit]:
    root = place.root
    told = list(_file_versions(host, root))
    if not told:
        answer = _hipconfig_version(host, root)
        if isinstance(answer, Failed):
            return Failed(f"{root} ({place.source}) names no version, and {answer.error}")
        told.append(answer)
    first, *others = told
    for other in others:
        if other.version != first.version:
            return Failed(
                f"{first.source} says ROCm {_dotted(first.version)}, but {other.source} says "
                f"{_dotted(other.version)}"
            )
    clangs = [f"{root}/{place}/clang++" for place in ("llvm/bin", "lib/llvm/bin")]
    toolkit = Toolkit(
        kind="rocm",
        version=first.version,
        release=first.release,
        root=root,
        compiler=place.compiler,
        clang=next((clang for clang in clangs if host.glob(clang)), ""),
        include=posixpath.join(root, "include"),
        libraries=posixpath.join(root, "lib"),
    )
    return Found(toolkit, f"{place.source}, {first.source}")


def _file_versions(host: Host, root: str) -> Iterator[_Told]:
    path = posixpath.join(root, ".info", "version")
    found = _VERSION.match(host.read_text(path) or "")
    if found:
        yield _Told(source=path, version=(int(found[1]), int(found[2])), release=found[0])
    path = posixpath.join(root, "share", "hip", "version")
    parts = dict(_HIP_VERSION.findall(host.read_text(path) or ""))
    if "MAJOR" in parts and "MINOR" in parts:
        version = (int(parts["MAJOR"]), int(parts["MINOR"]))
        release = ".".join(parts.get(name, "0") for name in ("MAJOR", "MINOR", "PATCH"))
        yield _Told(source=path, version=version, release=release)


def _hipconfig_version(host: Host, root: str) -> _Told | Failed:
    program = posixpath.join(root, "bin", "hipconfig")
    answer = host.run([program, "--version"], timeout=_TIMEOUT, env=_AMD)
    if not answer.ok:
        return Failed(f"its hipconfig {answer.failure}")
    found = _VERSION.match(answer.stdout.strip())
    if found is None:
        return Failed("its hipconfig prints none")
    version = (int(found[1]), int(found[2]))
    return _Told(source=f"{program} --version", version=version, release=found[0])


def _dotted(version: tuple[int, ...]) -> str:
    return ".".join(map(str, version))


def _with_architectures(host: Host, toolkit: Toolkit) -> Toolkit:
    """Read the targets that code can be linked for from the device libraries.

    hipcc links one file per target into all device code, so a target without that file cannot be
    built, whatever the compiler supports. Source: ROCm-Device-Libs, oclc_isa_version_*.bc.
    """
    for pattern in _DEVICE_LIBRARIES:
        files = host.glob(f"{pattern.format(root=toolkit.root)}/oclc_isa_version_*.bc")
        if files:
            names = {_target_of(posixpath.basename(path)) for path in files}
            return replace(toolkit, architectures=tuple(sorted(names)))
    return toolkit


def _target_of(file: str) -> str:
    return "gfx" + file.removeprefix("oclc_isa_version_").removesuffix(".bc")
