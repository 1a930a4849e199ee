"""Lists of GPU architectures that the user or the project pass to a build system directly.

Pure. Build systems have variables for architectures: their values are used like our own setting,
with their origin. Sources: CMake's CUDAARCHS and CMAKE_<LANG>_ARCHITECTURES, PyTorch's
torch.utils.cpp_extension (`_get_cuda_arch_flags`), hipcc's HCC_AMDGPU_TARGET.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Mapping, Sequence
from typing import cast

from variantbuild.config.project import Project
from variantbuild.data import load_table
from variantbuild.isa.accelerators import AcceleratorKind
from variantbuild.values import dataclass

#: The CMake variables in which projects list architectures.
CMAKE_VARIABLES: Mapping[AcceleratorKind, tuple[str, ...]] = {
    "cuda": ("CMAKE_CUDA_ARCHITECTURES",),
    "rocm": ("CMAKE_HIP_ARCHITECTURES", "GPU_TARGETS", "AMDGPU_TARGETS"),
}
#: The environment variables that build systems and compilers read themselves.
_VARIABLES: Mapping[AcceleratorKind, tuple[str, ...]] = {
    "cuda": ("CUDAARCHS", "TORCH_CUDA_ARCH_LIST"),
    "rocm": ("PYTORCH_ROCM_ARCH", "HCC_AMDGPU_TARGET"),
}
#: What CMake takes for "add no flags": the project adds its own.
_NONE = frozenset({"", "OFF", "FALSE", "NO", "0"})


@dataclass(frozen=True, kw_only=True, slots=True)
class GivenList:
    """Architectures as the user or the project wrote them, and where: `CUDAARCHS=80;90`."""

    names: tuple[str, ...]
    origin: str


def find_users_list(
    project: Project, env: Mapping[str, str], kind: AcceleratorKind
) -> GivenList | None:
    """Return the list that the user passes to a build system, by precedence of its places."""
    places = (
        *_in_settings(project, CMAKE_VARIABLES[kind]),
        *_in_variables(env, CMAKE_VARIABLES[kind]),
        *((name, env.get(name, "")) for name in _VARIABLES[kind]),
    )
    return _first(places)


def find_projects_list(project: Project, kind: AcceleratorKind) -> GivenList | None:
    """Return the list in the project's settings for scikit-build-core."""
    table = project.tool_table("scikit-build") or {}
    cmake = table.get("cmake")
    if not isinstance(cmake, Mapping):
        return None
    define, arguments = cmake.get("define"), cmake.get("args")
    head = "[tool.scikit-build] cmake"
    places: list[tuple[str, str]] = []
    for name in CMAKE_VARIABLES[kind]:
        value = define.get(name) if isinstance(define, Mapping) else None
        places.append((f"{head}.define.{name}", _text(value)))
    if isinstance(arguments, list):
        words = [each for each in arguments if isinstance(each, str)]
        found = _definitions(words, CMAKE_VARIABLES[kind])
        places += [(f"{head}.args -D{name}", value) for name, value in found]
    return _first(places)


def _first(places: Sequence[tuple[str, str]]) -> GivenList | None:
    for place, text in places:
        names = split_architectures(text)
        if names:
            return GivenList(names=names, origin=f"{place}={text}")
    return None


def split_architectures(text: str) -> tuple[str, ...]:
    """Return the names in a list that is separated by `;`, `,` or spaces, PyTorch's expanded.

    () for a value that means no architectures, or one that is computed (`$ENV{X}`).
    """
    if text.strip().upper() in _NONE or "$" in text:
        return ()
    generations = cast("dict[str, str]", load_table("cuda")["torch-names"])
    names: list[str] = []
    for word in re.split(r"[;,\s]+", text.strip()):
        plain, plus, _ = word.partition("+PTX")
        listed = generations.get(plain)
        if listed is None:
            names.append(word.lower() if plain.lower() in ("all", "native") else word)
        else:
            names += listed.split()
            if plus and not names[-1].endswith("+PTX"):
                names[-1] += plus
    return tuple(name for name in dict.fromkeys(names) if name)


def _in_settings(project: Project, names: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Yield what config-settings for scikit-build-core define."""
    for prefix in ("", "skbuild."):
        for name in names:
            key = f"{prefix}cmake.define.{name}"
            value = project.delegate_settings.get(key)
            yield f"the config-setting {key}", _text(value)
        arguments = project.delegate_settings.get(f"{prefix}cmake.args", "")
        words = arguments.split(";") if isinstance(arguments, str) else arguments
        for name, value in _definitions(words, names):
            yield f"the config-setting {prefix}cmake.args -D{name}", value


def _in_variables(env: Mapping[str, str], names: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Yield what CMAKE_ARGS and scikit-build-core's own variables define."""
    for pair in re.split(r";(?=\w+(?::\w+)?=)", env.get("SKBUILD_CMAKE_DEFINE", "")):
        name, _, value = pair.partition("=")
        if name.strip() in names:
            yield f"SKBUILD_CMAKE_DEFINE {name.strip()}", value
    for variable in ("CMAKE_ARGS", "SKBUILD_CMAKE_ARGS"):
        text = env.get(variable, "")
        words = split_arguments(text) if variable == "CMAKE_ARGS" else text.split(";")
        for name, value in _definitions(words, names):
            yield f"{variable} -D{name}", value


def split_arguments(text: str) -> list[str]:
    """Return the words of a command line; () where its quotes do not match."""
    try:
        return shlex.split(text)
    except ValueError:
        return []


def _definitions(words: Sequence[str], names: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Yield name and value of each `-DNAME[:TYPE]=VALUE` or `-D NAME=VALUE`, the last one first."""
    for word in reversed(words):
        found = definition(word, names)
        if found is not None:
            yield found


def definition(word: str, names: Sequence[str]) -> tuple[str, str] | None:
    """Return name and value if `word` defines one of `names`, else None."""
    match = re.fullmatch(r"(?:-D)?(\w+)(?::\w+)?=(.*)", word, re.DOTALL)
    return (match[1], match[2]) if match is not None and match[1] in names else None


def _text(value: object) -> str:
    if isinstance(value, list):
        return ";".join(str(each) for each in value)
    return value if isinstance(value, str) else ""
