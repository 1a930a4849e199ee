"""What follows from a judgement under the user's `audit` setting: stamp, stamp less, or refuse."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

from variantbuild.audit.judge import Judgement
from variantbuild.audit.judge.findings import Finding
from variantbuild.errors import AuditError
from variantbuild.isa.levels import baseline, includes, is_level
from variantbuild.variant import Variant

Policy = Literal["error", "downgrade", "warn", "off"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Passage:
    """The variant that may be stamped, and what is to be said about it."""

    variant: Variant
    messages: tuple[str, ...]


def pass_gate(judgement: Judgement, policy: Policy) -> Passage:
    """Decide whether the judged variant may be stamped.

    `error` refuses on any error; `downgrade` stamps the level that was found where that is less
    than asked; `warn` says what is wrong and lets the wheel out without a stamp; `off` looks at
    nothing, and so nothing is stamped: a stamp is a finding. Raises AuditError, naming the first
    error, where the policy refuses.
    """
    variant = judgement.variant
    if policy == "off":
        return Passage(variant=Variant(arch=variant.arch), messages=())
    said = [each.message for each in (*judgement.errors, *judgement.warnings)]
    if policy == "warn" and judgement.errors:
        note = f"the wheel is not stamped as {variant}: `audit` is warn"
        return Passage(variant=Variant(arch=variant.arch), messages=(*said, note))
    if policy == "downgrade" and (less := _found_less(judgement)) is not None:
        note = f"stamped as {less} instead of {variant}, as the audit found"
        if less.is_baseline:
            note = f"the wheel is not stamped: the audit found the baseline instead of {variant}"
        return Passage(variant=less, messages=(*said, note))
    if judgement.errors:
        first, *others = judgement.errors
        more = f" (and {len(others)} more)" if others else ""
        raise AuditError(
            f"not stamped as {variant}: {first.message}{more}",
            hint=_hint(judgement, first),
        )
    return Passage(variant=variant, messages=tuple(said))


def _hint(judgement: Judgement, first: Finding) -> str:
    """Say what to do about the error `first`; switches of the project's own are named."""
    if first.rule == "no-evidence":
        return "see that the project's build passes CFLAGS and CXXFLAGS on"
    recorded = [
        source.removeprefix("its recorded ")
        for each in (*judgement.errors, *judgement.warnings)
        if each.rule == "needs-more"
        for source in each.evidence
        if source.startswith("its recorded ")
    ]
    if first.rule == "needs-more" and recorded:
        return (
            f"the project compiles with switches of its own behind ours ({recorded[0]}): see "
            "whether its build can leave them out"
        )
    return 'see all findings with `audit = "warn"`, which lets the wheel out without a stamp'


def _found_less(judgement: Judgement) -> Variant | None:
    """Return the variant with the level found, None where that is not less than declared."""
    variant = judgement.variant
    unless = {"no-evidence"}
    if variant.cpu is None or any(each.rule not in unless for each in judgement.errors):
        return None
    found = judgement.found or baseline(variant.arch)
    less = any(each.rule in ("no-evidence", "uses-less") for each in judgement.findings)
    if not less or found is None or not is_level(variant.arch, variant.cpu):
        return None
    if includes(variant.arch, found, variant.cpu):
        # The note alone says the declared level: what was compiled is the baseline.
        found = baseline(variant.arch)
    return replace(variant, cpu=found)
