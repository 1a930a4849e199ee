"""Where CUDA toolkits may be: variables, PATH, usual directories, and wheels of this Python."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator, Sequence
from typing import Literal

from variantbuild.host import Host
from variantbuild.probe.facts import Failed
from variantbuild.probe.gpu.devicecommand import parse_device_command
from variantbuild.values import dataclass

ToolkitChoice = Literal["auto", "system", "pypi"]

# Where to look without a variable or PATH: the directories of NVIDIA's installers, and of Arch.
_USUAL = ("/usr/local/cuda/bin/nvcc", "/usr/local/cuda-[0-9]*/bin/nvcc", "/opt/cuda/bin/nvcc")


@dataclass(frozen=True, kw_only=True, slots=True)
class Place:
    """A possible location of a toolkit: its compiler, its root if one was given, and the source.

    `launcher` and `arguments` are the words around the compiler.
    """

    compiler: str
    root: str
    source: str
    named: bool = False
    origin: Literal["system", "pypi"] = "system"
    launcher: tuple[str, ...] = ()
    arguments: tuple[str, ...] = ()


def named_places(host: Host) -> Iterator[Place | Failed]:
    """Yield the toolkits that CUDACXX, CUDA_HOME and CUDA_PATH name."""
    command = parse_device_command(host, "CUDACXX")
    if isinstance(command, Failed):
        yield command
    elif command is not None:
        yield Place(
            compiler=command.program,
            root="",
            source=f"CUDACXX={host.env['CUDACXX']}",
            named=True,
            launcher=command.launcher,
            arguments=command.arguments,
        )
    for name in ("CUDA_HOME", "CUDA_PATH"):
        root = host.env.get(name, "")
        if not root:
            continue
        path = posixpath.join(root, "bin", "nvcc")
        if not posixpath.isabs(root) or not host.glob(path):
            yield Failed(f"{name}={root} has no bin/nvcc")
        else:
            yield Place(compiler=path, root=root, source=f"{name}={root}", named=True)


def found_places(host: Host, choice: ToolkitChoice, python_path: Sequence[str]) -> Iterator[Place]:
    """Yield the toolkits on PATH, in the usual directories and in wheels, as `choice` allows."""
    if choice != "pypi":
        on_path = host.which("nvcc")
        if on_path is not None:
            yield Place(compiler=on_path, root="", source=f"{on_path} on PATH")
        for pattern in _USUAL:
            for compiler in _newest_first(host.glob(pattern)):
                root = posixpath.dirname(posixpath.dirname(compiler))
                yield Place(compiler=compiler, root=root, source=root)
    if choice != "system":
        for directory in python_path:
            for compiler in _newest_first(host.glob(f"{directory}/nvidia/cu[0-9]*/bin/nvcc")):
                root = posixpath.dirname(posixpath.dirname(compiler))
                yield Place(compiler=compiler, root=root, source=root, origin="pypi")


def _newest_first(paths: Sequence[str]) -> list[str]:
    return sorted(paths, key=lambda path: [int(n) for n in re.findall(r"\d+", path)], reverse=True)
