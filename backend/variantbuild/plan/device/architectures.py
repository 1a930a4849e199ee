"""The GPU architectures to build for: keywords, lists and GPUs found, checked against the toolkit.

Pure. CUDA names are a number with an optional suffix (`90`, `90a` for that chip alone, `100f` for
its family), ROCm names are LLVM's targets (`gfx90a`, `gfx90a:xnack+`, `gfx11-generic`).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import cast

from variantbuild.data import load_table
from variantbuild.errors import AcceleratorError
from variantbuild.isa.accelerators import Architectures
from variantbuild.plan.device.givenlists import GivenList
from variantbuild.plan.device.supported import (
    all_architectures,
    major_architectures,
    supported_architectures,
)
from variantbuild.probe.facts import Absent, Fact, Failed, Found
from variantbuild.probe.gpu.gpufacts import Gpu, Toolkit
from variantbuild.values import dataclass

#: The words of the `architectures` settings; everything else is a list of names.
WORDS = ("auto", "native", "all", "all-major")

_CUDA_NAME = re.compile(
    r"(?:sm_|compute_)?(\d{2,3}|\d{1,2}\.\d)([af]?)(-real|-virtual|\+ptx)?", re.IGNORECASE
)
_GFX_NAME = re.compile(r"(gfx[0-9a-f]{3,5}|gfx\d+(?:-\d+)?-generic)((?::[a-z]+[+-])*)", re.ASCII)


@dataclass(frozen=True, kw_only=True, slots=True)
class ArchitectureRequest:
    """The architectures in the settings: names or one of WORDS, and where that was set.

    For `auto`, `user` is the user's list for the build system, `project` the project's own list,
    used if no GPU is found; with `ptx`, PTX of the newest architecture is added.
    """

    names: tuple[str, ...] = ("auto",)
    origin: str = "the default"
    user: GivenList | None = None
    project: GivenList | None = None
    ptx: bool = True


def resolve_architectures(
    wanted: ArchitectureRequest, toolkit: Toolkit, gpus: Fact[tuple[Gpu, ...]]
) -> Architectures:
    """Choose what to build for with `toolkit` on a machine with `gpus`.

    Raises AcceleratorError for `native` without a GPU, for invalid names, and for architectures
    that the toolkit does not support, with those that it does.
    """
    wanted, reason = _settle(wanted, gpus)
    names, reason = _expand_word(wanted, reason, toolkit, gpus)
    if toolkit.kind == "cuda":
        return _resolve_cuda(names, reason, wanted, toolkit)
    return _resolve_rocm(names, reason, wanted, toolkit)


def _settle(
    wanted: ArchitectureRequest, gpus: Fact[tuple[Gpu, ...]]
) -> tuple[ArchitectureRequest, str]:
    """Replace `auto` by the list that counts, if any: the user's, or the project's without GPUs."""
    if wanted.names != ("auto",):
        return wanted, wanted.origin
    if wanted.user is not None:
        return replace(wanted, names=wanted.user.names, origin=wanted.user.origin), (
            f"the user's list, {wanted.user.origin}"
        )
    if wanted.project is not None and not isinstance(gpus, Found):
        return replace(wanted, names=wanted.project.names, origin=wanted.project.origin), (
            f"the project's own list, {wanted.project.origin}, as no GPU was found"
        )
    return wanted, wanted.origin


def _expand_word(
    wanted: ArchitectureRequest, reason: str, toolkit: Toolkit, gpus: Fact[tuple[Gpu, ...]]
) -> tuple[tuple[str, ...], str]:
    """Expand a keyword into names; a list is returned unchanged."""
    words = [name for name in wanted.names if name in WORDS]
    if not words:
        return wanted.names, reason
    if len(wanted.names) > 1:
        raise AcceleratorError(
            f"architectures {list(wanted.names)} ({wanted.origin}) mix {words[0]!r} with names",
            hint=f"write {words[0]!r} alone, or names alone",
        )
    word = words[0]
    if word == "native" or (word == "auto" and isinstance(gpus, Found)):
        return _seen(gpus, wanted), f"the GPUs of this machine ({_source(gpus)})"
    if word == "auto":
        return major_architectures(toolkit), "all major architectures, as no GPU was found"
    listed = major_architectures if word == "all-major" else all_architectures
    return listed(toolkit), f"{word} ({wanted.origin})"


def _seen(gpus: Fact[tuple[Gpu, ...]], wanted: ArchitectureRequest) -> tuple[str, ...]:
    match gpus:
        case Found(value=found):
            return tuple(dict.fromkeys(gpu.architecture for gpu in found))
        case Absent(reason=why) | Failed(error=why):
            raise AcceleratorError(
                f"architectures native ({wanted.origin}) needs a GPU in this machine: {why}",
                hint="name the architectures, or set them to auto",
            )


def _source(gpus: Fact[tuple[Gpu, ...]]) -> str:
    return gpus.source if isinstance(gpus, Found) else ""


def _resolve_cuda(
    names: Sequence[str], reason: str, wanted: ArchitectureRequest, toolkit: Toolkit
) -> Architectures:
    supported = supported_architectures(toolkit)
    real: set[str] = set()
    ptx: set[str] = set()
    for text in names:
        found = _CUDA_NAME.fullmatch(text.strip())
        if found is None:
            raise AcceleratorError(
                f"{text!r} ({wanted.origin}) is not a CUDA architecture",
                hint="write numbers such as 90, 90a or 100f, or one of " + ", ".join(WORDS),
            )
        name, form = found[1].replace(".", "") + found[2].lower(), (found[3] or "").lower()
        if name not in supported:
            raise _unsupported(f"sm_{name}", f"{text!r} ({reason})", toolkit)
        if form != "-virtual":
            real.add(name)
        if form in ("-virtual", "+ptx"):
            ptx.add(name)
    plain = [name for name in real if name.isdigit()]
    if wanted.ptx and not ptx and plain:
        ptx.add(max(plain, key=int))
    return Architectures(kind="cuda", real=_ordered(real), ptx=_ordered(ptx), reason=reason)


def _ordered(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted(names, key=lambda name: (int(name.rstrip("af")), name)))


def _resolve_rocm(
    names: Sequence[str], reason: str, wanted: ArchitectureRequest, toolkit: Toolkit
) -> Architectures:
    supported = supported_architectures(toolkit)
    chosen: dict[str, set[frozenset[str]]] = {}
    for text in names:
        found = _GFX_NAME.fullmatch(text.strip().lower())
        if found is None:
            raise AcceleratorError(
                f"{text!r} ({wanted.origin}) is not a ROCm architecture",
                hint="write targets such as gfx90a, gfx90a:xnack- or gfx11-generic",
            )
        target, features = found[1], tuple(part for part in found[2].split(":") if part)
        if target not in supported:
            raise _unsupported(target, f"{text!r} ({reason})", toolkit)
        _check_features(target, features)
        chosen.setdefault(target, set()).add(frozenset(features))
    for target, sets in chosen.items():
        # clang refuses to bundle a target both with and without a feature's setting.
        if len({frozenset(feature[:-1] for feature in features) for features in sets}) > 1:
            raise AcceleratorError(
                f"{target} is listed both with and without a feature ({wanted.origin})",
                hint="name the feature on all of them, with + or -, or on none",
            )
    real = sorted(
        ":".join([target, *sorted(features)])
        for target, sets in chosen.items()
        for features in sets
    )
    return Architectures(kind="rocm", real=tuple(real), reason=reason)


def _check_features(target: str, features: Sequence[str]) -> None:
    """Refuse target features that `target` does not have (LLVM, AMDGPUUsage, target features)."""
    table = cast("dict[str, list[str]]", load_table("rocm")["features"])
    named = [feature[:-1] for feature in features]
    for feature in named:
        if target not in table.get(feature, ()):
            having = [name for name, targets in table.items() if target in targets]
            raise AcceleratorError(
                f"{target} has no feature {feature!r}",
                hint=f"it has {' and '.join(having)}" if having else "it has none",
            )
    if len(set(named)) < len(named):
        raise AcceleratorError(f"{':'.join([target, *features])} names a feature twice")


def _unsupported(name: str, asked: str, toolkit: Toolkit) -> AcceleratorError:
    supported = supported_architectures(toolkit)
    if toolkit.kind == "rocm":
        known = ", ".join(supported)
        generic = cast("int", load_table("rocm")["generic_llvm"])
        more = f"; generic targets need LLVM {generic}" if name.endswith("-generic") else ""
        return AcceleratorError(
            f"{toolkit} cannot build for {name}, from {asked}",
            hint=f"its device libraries are for {known}{more}",
        )
    return AcceleratorError(
        f"{toolkit} cannot build for {name}, from {asked}",
        hint=f"it builds for {', '.join(supported)}",
    )
