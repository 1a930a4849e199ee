"""The accelerator to build for, its toolkit and GPU architectures. Pure.

A project lists what its sources can be built for (`accelerators`), and the machine decides which of
these is built. A target that names one is a requirement: if something is missing, that is an error.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from variantbuild.config import Config
from variantbuild.errors import AcceleratorError
from variantbuild.isa.accelerators import NAMES, AcceleratorKind, Architectures
from variantbuild.plan.device.architectures import ArchitectureRequest, resolve_architectures
from variantbuild.plan.device.givenlists import GivenList
from variantbuild.probe.facts import Absent, Failed, Found
from variantbuild.probe.gpu.driver import driver_floor, is_below_floor
from variantbuild.probe.gpu.gpufacts import AcceleratorFacts, Toolkit
from variantbuild.values import dataclass
from variantbuild.variant.axes import Accelerator

_VERSION = re.compile(r"[1-9]\d*(\.\d+)?", re.ASCII)


@dataclass(frozen=True, kw_only=True, slots=True)
class Request:
    """One kind of accelerator to build for.

    `version` is () for any, (12,) or (12, 8); `required` is true if a target names it, so that it
    must be built; `origin` is where that was set.
    """

    kind: AcceleratorKind
    version: tuple[int, ...] = ()
    required: bool = False
    origin: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class AcceleratorChoice:
    """Toolkit and architectures of device code, and its label."""

    label: Accelerator
    toolkit: Toolkit
    architectures: Architectures
    reason: str
    notes: tuple[str, ...] = ()


def resolve_requests(config: Config, target: Accelerator | None) -> tuple[Request, ...]:
    """Return the requests in order of preference; `target` is the target's accelerator.

    There are none if a target names no accelerator. Raises AcceleratorError for an unknown kind, a
    malformed version, and a target that the project's sources do not support.
    """
    origin = config.origin("accelerators")
    for name in config.accelerators:
        if name not in NAMES:
            raise AcceleratorError(
                f"accelerators ({origin}) names {name!r}", hint="write cuda, rocm, or both"
            )
    if target is not None:
        if config.accelerators and target.kind not in config.accelerators:
            raise AcceleratorError(
                f"target {config.target!r} ({config.origin('target')}) names {target.kind}, and "
                f"accelerators ({origin}) has only {', '.join(config.accelerators)}",
            )
        origin = f"target {config.target!r}"
        return (Request(kind=target.kind, version=target.version, required=True, origin=origin),)
    if config.target is not None:
        return ()
    kinds: list[AcceleratorKind] = [
        "cuda" if name == "cuda" else "rocm" for name in config.accelerators
    ]
    return tuple(
        Request(kind=kind, version=_parse_version(config, kind), origin=origin)
        for kind in dict.fromkeys(kinds)
    )


def _parse_version(config: Config, kind: AcceleratorKind) -> tuple[int, ...]:
    text = config.cuda_version if kind == "cuda" else config.rocm_version
    if text == "auto":
        return ()
    if not _VERSION.fullmatch(text):
        key = f"{kind}.version"
        raise AcceleratorError(
            f"{key} {text!r} ({config.origin(key)}) is not a version",
            hint="write auto, a major version such as 12, or 12.8",
        )
    return tuple(int(part) for part in text.split("."))


def resolve_accelerator(
    config: Config,
    requests: Sequence[Request],
    facts: Mapping[AcceleratorKind, AcceleratorFacts],
    lists: Mapping[AcceleratorKind, tuple[GivenList | None, GivenList | None]],
) -> AcceleratorChoice | Absent:
    """Choose among `requests`; return the choice, or why there is none.

    A kind with a GPU in the machine comes before one that has only a toolkit; then the order of the
    requests counts. `lists` are those that the user and the project pass to a build system. Raises
    AcceleratorError if a required one is missing, and if a toolkit is inconsistent: the build would
    use it, but its version is not known.
    """
    reasons: list[str] = []
    for request in sorted(requests, key=lambda each: not isinstance(facts[each.kind].gpus, Found)):
        known, given = facts[request.kind], lists.get(request.kind, (None, None))
        match known.toolkit:
            case Found(value=toolkit, source=source):
                return _choose(config, request, toolkit, source, known, given)
            case Failed(error=error):
                raise AcceleratorError(f"{NAMES[request.kind]} cannot be used: {error}")
            case Absent(reason=why):
                if request.required:
                    version = ".".join(map(str, request.version))
                    raise AcceleratorError(
                        f"{request.origin} needs {NAMES[request.kind]} {version}: {why}",
                        hint=_remedy(request.kind),
                    )
                reasons.append(f"{request.kind} is not built: {why}")
    return Absent("; ".join(reasons))


def _remedy(kind: AcceleratorKind) -> str:
    if kind == "cuda":
        return 'install the toolkit, name it in CUDA_HOME, or set cuda.toolkit = "pypi" (13.x)'
    return "install ROCm, or name it in ROCM_PATH"


def _choose(
    config: Config,
    request: Request,
    toolkit: Toolkit,
    source: str,
    facts: AcceleratorFacts,
    given: tuple[GivenList | None, GivenList | None],
) -> AcceleratorChoice:
    cuda = request.kind == "cuda"
    key = f"{request.kind}.architectures"
    wanted = ArchitectureRequest(
        names=(config.cuda_architectures if cuda else config.rocm_architectures) or ("auto",),
        origin=f"{key}, {config.origin(key)}",
        user=given[0],
        project=given[1],
        ptx=config.cuda_ptx,
    )
    architectures = resolve_architectures(wanted, toolkit, facts.gpus)
    return AcceleratorChoice(
        label=_label(config, request, toolkit),
        toolkit=toolkit,
        architectures=architectures,
        reason=f"{toolkit} ({source}) for {architectures} ({architectures.reason})",
        notes=(*_ignored_note(wanted, architectures), *_driver_notes(toolkit, facts)),
    )


def _ignored_note(wanted: ArchitectureRequest, chosen: Architectures) -> tuple[str, ...]:
    """Warn of a list of the user's that a setting overrides."""
    if wanted.user is None or wanted.names == ("auto",):
        return ()
    return (f"{wanted.user.origin} is ignored: {chosen} ({wanted.origin}) is built instead",)


def _label(config: Config, request: Request, toolkit: Toolkit) -> Accelerator:
    """Name the accelerator as the target does, else by `cuda.label`."""
    if request.required:
        return Accelerator(kind=request.kind, version=request.version)
    major_only = request.kind == "cuda" and config.cuda_label == "major"
    return Accelerator(kind=request.kind, version=toolkit.version[: 1 if major_only else 2])


def _driver_notes(toolkit: Toolkit, facts: AcceleratorFacts) -> tuple[str, ...]:
    """Warn if this machine's driver is too old for what is built: it may run elsewhere."""
    if toolkit.kind != "cuda" or not isinstance(facts.driver, Found):
        return ()
    floor = driver_floor(toolkit.version[0])
    driver = facts.driver.value
    if is_below_floor(driver, toolkit.version[0]):
        return (
            f"{toolkit} needs driver {floor} or newer, and this machine has {driver.version}: the "
            "wheel will not run on this machine",
        )
    return ()
