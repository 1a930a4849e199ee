"""Passes the toolkit, options and architectures of device code to each build system."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from variantbuild.config.buildsystem import BuildSystem
from variantbuild.delegate.handover.delegation import Delegation, Handover, extend
from variantbuild.delegate.toolkit import complete_toolkit
from variantbuild.plan.device.build import DeviceBuild
from variantbuild.plan.device.deviceflags import (
    render_cmake_architectures,
    render_torch_architectures,
)
from variantbuild.plan.device.givenlists import (
    CMAKE_VARIABLES,
    definition,
    split_architectures,
    split_arguments,
)
from variantbuild.plan.device.jobs import VARIABLES

if TYPE_CHECKING:
    from variantbuild.delegate.handover.delegation import Setting


def complete_device_build(build: DeviceBuild | None, directory: Path) -> DeviceBuild | None:
    """Return `build` with a toolkit that can link; one from PyPI is completed in `directory`."""
    if build is None or build.toolkit.origin != "pypi":
        return build
    home = complete_toolkit(Path(build.toolkit.root), directory.resolve())
    toolkit = replace(
        build.toolkit,
        root=str(home),
        compiler=str(home / "bin" / "nvcc"),
        include=str(home / "include"),
        libraries=str(home / "lib"),
    )
    return replace(build, toolkit=toolkit)


def hand_device_build(build: DeviceBuild, handover: Handover, delegation: Delegation) -> Handover:
    """Add to `handover` what makes the delegate compile device code by `build`.

    Build systems with a setting for architectures get it; Meson and unknown ones get compiler
    options. Ours are appended to the user's own values.
    """
    env = {**delegation.env, **dict(handover.env)}
    cuda = build.toolkit.kind == "cuda"
    changes = _cuda_variables(build, env) if cuda else _rocm_variables(build, env)
    settings = dict(handover.config_settings)
    if delegation.system is BuildSystem.MESON_PYTHON and cuda:
        # Meson has its own variables (mesonbuild/envconfig.py and compilers.py, 1.9), and links
        # with nvcc, which has to pass LDFLAGS on to gcc.
        changes["NVCC"] = build.toolkit.compiler
        words = [*build.architecture_flags, *build.flags, "-forward-unknown-to-host-compiler"]
        if build.host_compiler:
            words.append(f"-ccbin={build.host_compiler}")
        changes["CUFLAGS"] = extend(env.get("CUFLAGS", ""), words)
    elif delegation.system.runs_cmake:
        settings |= _cmake_settings(build, settings)
        changes |= _cmake_variables(build, env)
    language = "CUDA" if cuda else "HIP"
    launcher = f"CMAKE_{language}_COMPILER_LAUNCHER"
    if build.toolkit.launcher and not env.get(launcher):
        changes[launcher] = ";".join(build.toolkit.launcher)
    changes[f"_VARIANTBUILD_{language}_FLAGS"] = extend("", build.flags)
    changes["_VARIANTBUILD_ARCHITECTURES"] = render_cmake_architectures(build.architectures)
    for name in VARIABLES:
        if not any(env.get(variable) for variable in VARIABLES):
            changes[name] = str(build.jobs)
    return replace(
        handover,
        env=tuple({**dict(handover.env), **changes}.items()),
        config_settings=tuple(settings.items()),
    )


def _cuda_variables(build: DeviceBuild, env: Mapping[str, str]) -> dict[str, str]:
    toolkit = build.toolkit
    changes = {
        "CUDACXX": toolkit.compiler,
        "CUDA_HOME": toolkit.root,
        "CUDA_PATH": toolkit.root,
        "CUDAToolkit_ROOT": toolkit.root,
        "CUDAARCHS": render_cmake_architectures(build.architectures),
        "CUDAFLAGS": extend(env.get("CUDAFLAGS", ""), build.flags),
        "TORCH_CUDA_ARCH_LIST": render_torch_architectures(build.architectures),
        "PATH": f"{toolkit.root}/bin:{env.get('PATH', '')}",
    }
    if build.host_compiler:
        changes |= {"CUDAHOSTCXX": build.host_compiler, "NVCC_CCBIN": build.host_compiler}
    return changes


def _rocm_variables(build: DeviceBuild, env: Mapping[str, str]) -> dict[str, str]:
    toolkit = build.toolkit
    architectures = render_torch_architectures(build.architectures)
    changes = {
        "HIP_PLATFORM": "amd",
        "ROCM_PATH": toolkit.root,
        "ROCM_HOME": toolkit.root,
        "HIP_PATH": toolkit.root,
        "HIPFLAGS": extend(env.get("HIPFLAGS", ""), build.flags),
        "PYTORCH_ROCM_ARCH": architectures,
        # What hipcc builds for by default; otherwise it looks for a GPU.
        "HCC_AMDGPU_TARGET": architectures.replace(";", ","),
    }
    if toolkit.root != "/usr":
        changes["PATH"] = f"{toolkit.root}/bin:{env.get('PATH', '')}"
    if toolkit.clang:
        changes["HIPCXX"] = toolkit.clang
    return changes


def _cmake_settings(build: DeviceBuild, settings: Mapping[str, Setting]) -> dict[str, Setting]:
    """Define the architectures: a project that sets its own overrides CUDAARCHS.

    A definition of the user's has the same architectures, in another notation, and is replaced.
    """
    value = render_cmake_architectures(build.architectures)
    names = CMAKE_VARIABLES[build.toolkit.kind]
    changes: dict[str, Setting] = {}
    for name in names:
        keys = [f"{prefix}cmake.define.{name}" for prefix in ("", "skbuild.")]
        given = [key for key in keys if key in settings]
        kept = [key for key in given if not split_architectures(str(settings[key]))]
        changes |= {key: value for key in given or keys[:1] if key not in kept}
    for key in ("cmake.args", "skbuild.cmake.args"):
        given_args = settings.get(key)
        if isinstance(given_args, str):
            changes[key] = ";".join(_rewritten(given_args.split(";"), names, value))
        elif isinstance(given_args, list):
            changes[key] = _rewritten(given_args, names, value)
    return changes


def _cmake_variables(build: DeviceBuild, env: Mapping[str, str]) -> dict[str, str]:
    """Replace the user's own definitions in CMAKE_ARGS, which CMake sees after ours."""
    words = split_arguments(env.get("CMAKE_ARGS", ""))
    value = render_cmake_architectures(build.architectures)
    rewritten = _rewritten(words, CMAKE_VARIABLES[build.toolkit.kind], value)
    return {} if rewritten == words else {"CMAKE_ARGS": shlex.join(rewritten)}


def _rewritten(words: Sequence[str], names: Sequence[str], value: str) -> list[str]:
    """Return `words` with `value` in each definition of one of `names` that lists architectures."""
    made = []
    for word in words:
        found = definition(word, names)
        if found is not None and split_architectures(found[1]):
            word = word.removesuffix(found[1]) + value
        made.append(word)
    return made
