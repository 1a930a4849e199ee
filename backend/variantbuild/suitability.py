"""Whether this machine can run a variant and can build it, in sentences that say why not."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass

from variantbuild.errors import FlagsError, VariantError
from variantbuild.flags import resolve_flags
from variantbuild.probe.facts import Absent, Cpu, Failed, Found, HostFacts
from variantbuild.probe.levels import lacks
from variantbuild.variant import Variant
from variantbuild.variant.axes import DistroLabel

_ARCHITECTURES = ("x86_64", "aarch64", "ppc64le", "riscv64")


@dataclass(frozen=True, kw_only=True, slots=True)
class Suitability:
    """Why a machine cannot `run` and cannot `build` a variant, one sentence a reason.

    No reasons: it can, as far as is known.
    """

    run: tuple[str, ...]
    build: tuple[str, ...]


def judge_machine(label: str, facts: HostFacts) -> Suitability:
    """Say why the machine of `facts` cannot run or build the variant `label`.

    A label of another architecture is such a reason; one of none raises VariantError.
    """
    if not isinstance(facts.cpu, Found):
        reason = facts.cpu.reason if isinstance(facts.cpu, Absent) else facts.cpu.error
        unknown = f"the processor of this machine is unknown: {reason}"
        return Suitability(run=(unknown,), build=(unknown,))
    cpu = facts.cpu.value
    variant = _parse(label, cpu.family)
    if variant.arch != cpu.family:
        foreign = f"{label} is for {variant.arch}, and this machine is {cpu.family}"
        return Suitability(run=(foreign,), build=(foreign,))
    shared = _about_accelerator(variant)
    run = (*shared, *_about_processor(variant, cpu), *_about_distro(variant, facts))
    return Suitability(run=run, build=(*shared, *_about_compilers(variant, facts)))


def _parse(label: str, arch: str) -> Variant:
    """Read `label` for `arch`, or else for the one architecture that it is of."""
    try:
        return Variant.parse(label, arch)
    except VariantError as error:
        for other in _ARCHITECTURES:
            with contextlib.suppress(VariantError):
                return Variant.parse(label, other)
        raise VariantError(f"--why-not {label!r}: {error.message}", hint=error.hint) from None


def _about_accelerator(variant: Variant) -> tuple[str, ...]:
    if variant.accelerator is None:
        return ()
    return (
        f"{variant.accelerator} cannot be judged: accelerators are not known yet to this version "
        "of variantbuild",
    )


def _about_processor(variant: Variant, cpu: Cpu) -> tuple[str, ...]:
    if variant.cpu is None:
        return ()
    return tuple(f"its processor {clause}" for clause in lacks(cpu, variant.cpu))


def _about_distro(variant: Variant, facts: HostFacts) -> tuple[str, ...]:
    if variant.distro is None:
        return ()
    if not isinstance(facts.distro, Found):
        reason = facts.distro.reason if isinstance(facts.distro, Absent) else facts.distro.error
        return (f"it is meant for {variant.distro}, and this machine's is unknown: {reason}",)
    found = facts.distro.value
    try:
        here = DistroLabel.of(found.id, found.version_id)
    except VariantError as error:
        return (f"it is meant for {variant.distro}: {error.message}",)
    if here == variant.distro:
        return ()
    return (f"it is meant for {variant.distro}, and this machine is {here}",)


def _about_compilers(variant: Variant, facts: HostFacts) -> tuple[str, ...]:
    reasons: list[str] = []
    missing: list[str] = []
    for language, fact in facts.compilers:
        match fact:
            case Found(value=compiler):
                try:
                    resolve_flags(variant, {language: compiler}, libc=None)
                except FlagsError as error:
                    reasons.append(error.message)
            case Absent(reason=text) | Failed(error=text):
                missing.append(text)
    if len(missing) == len(facts.compilers):
        reasons.append(f"there is no compiler: {'; '.join(missing)}")
    return tuple(dict.fromkeys(reasons))
