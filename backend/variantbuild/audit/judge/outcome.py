"""What follows from a judgement under the `audit` setting: a stamp, no stamp, or a refusal.

    outcome = decide(variant, judgement, policy, product)

The only module that knows the policies, for builds, editable builds, `stamp` and `repair`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Literal

from variantbuild.audit.judge.findings import Finding, Judgement, Rule, told_once
from variantbuild.audit.judge.hints import (
    DEVICE_RULES,
    TAG_RULES,
    Product,
    hint_for,
    is_about_cpu,
)
from variantbuild.errors import AuditError
from variantbuild.isa.levels import baseline, includes, is_level
from variantbuild.values import dataclass
from variantbuild.variant import Variant

Policy = Literal["error", "strict", "downgrade", "warn", "off"]

Why = Literal["off", "warn", "nothing-asked", "no-machine-code", "baseline", "editable"]


#: Errors even of a build without a CPU: it has device code, and its tag names a C library.
ALWAYS = (*DEVICE_RULES, *TAG_RULES)
#: Warnings even of a build without a CPU: no other machine than the tags say can run its files.
TOLD_ALWAYS: tuple[Rule, ...] = ("wrong-machine", "code-in-any")


@dataclass(frozen=True, kw_only=True, slots=True)
class Stamped:
    """The files may be stamped as `variant`, which a downgrade may have lowered."""

    variant: Variant
    warnings: tuple[str, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Unstamped:
    """The files may be published without a stamp; `reason` says why in one sentence."""

    why: Why
    reason: str
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Refused:
    """The files must not be published as `variant`; `findings` are the errors."""

    variant: Variant
    product: Product
    findings: tuple[Finding, ...]
    warnings: tuple[str, ...] = ()
    hint: str

    def error(self) -> AuditError:
        """Return the error that names the first finding and counts the others."""
        first, *others = self.findings
        more = f" (and {len(others)} more)" if others else ""
        return AuditError(f"{self._subject(first)}{first.message}{more}", hint=self.hint)

    def _subject(self, first: Finding) -> str:
        if self.variant.is_baseline:
            # A wheel without a label claims nothing but its platform.
            cpu = is_about_cpu(first) and self.variant.arch
            return f"not for every {self.variant.arch} CPU: " if cpu else ""
        if self.product == "editable":
            return f"what was built in place is not {self.variant}: "
        return f"not stamped as {self.variant}: "


Outcome = Stamped | Unstamped | Refused


def decide(
    variant: Variant, judgement: Judgement | None, policy: Policy, product: Product
) -> Outcome:
    """Decide what happens to files that were judged for `variant`.

    `judgement` is None if nothing was audited (policy `off`). `error` refuses on any error,
    `strict` also where it cannot be told whether the files need more.
    `downgrade` stamps what was found if that is less than requested: a lower level, or no
    accelerator. `warn` reports the errors and gives no stamp.
    """
    if judgement is None or policy == "off":
        reason = f"not stamped as {variant}: `audit` is off, and only audited wheels are"
        return Unstamped(why="off", reason=reason)
    lowered = _without_absent_devices(variant, judgement) if policy == "downgrade" else variant
    asked = product in ("stamped", "repaired") or not lowered.is_empty
    errors = [each for each in judgement.errors if asked or each.rule in ALWAYS]
    warnings = [each for each in judgement.warnings if asked]
    if not asked:
        warnings += [each for each in judgement.errors if each.rule in TOLD_ALWAYS]
    if policy == "strict":
        errors += [each for each in warnings if each.rule == "cannot-tell"]
        warnings = [each for each in warnings if each.rule != "cannot-tell"]
    if policy == "downgrade":
        lowered, errors_left = _lowered(lowered, judgement, errors)
    else:
        errors_left = errors if policy in ("error", "strict") else []
    if errors_left:
        return Refused(
            variant=variant,
            product=product,
            findings=tuple(errors_left),
            hint=hint_for(variant, judgement, errors_left[0], product),
        )
    said = [text for _, text in told_once((*errors, *warnings))]
    if product == "editable":
        reason = "editable wheels are not stamped"
        return Unstamped(why="editable", reason=reason, warnings=tuple(said))
    if policy == "warn" and errors:
        reason = f"the wheel is not stamped as {variant}: `audit` is warn"
        return Unstamped(why="warn", reason=reason, warnings=(*said, reason))
    return _stamped(variant, lowered, judgement, tuple(said))


def _stamped(
    variant: Variant, lowered: Variant, judgement: Judgement, said: tuple[str, ...]
) -> Stamped | Unstamped:
    if not judgement.has_machine_code:
        reason = "it contains no machine code: there is nothing to stamp"
        return Unstamped(why="no-machine-code", reason=reason, warnings=said)
    if lowered != variant:
        note = f"stamped as {lowered} instead of {variant}, according to the audit"
        if lowered.is_baseline:
            note = f"not stamped: the audit found code for the baseline instead of {variant}"
            return Unstamped(why="baseline", reason=note, warnings=(*said, note))
        return Stamped(variant=lowered, warnings=(*said, note))
    if variant.is_empty:
        return Unstamped(why="nothing-asked", reason="no variant was requested", warnings=said)
    if variant.is_baseline:
        reason = f"every {variant.arch} CPU runs {variant}: there is nothing to stamp"
        return Unstamped(why="baseline", reason=reason, warnings=said)
    return Stamped(variant=variant, warnings=said)


def _without_absent_devices(variant: Variant, judgement: Judgement) -> Variant:
    absent = any(each.rule == "device-absent" for each in judgement.errors)
    return replace(variant, accelerator=None) if absent else variant


def _lowered(
    variant: Variant, judgement: Judgement, errors: Sequence[Finding]
) -> tuple[Variant, list[Finding]]:
    """Return the variant that the files support, and the errors that lowering does not resolve."""
    left = [each for each in errors if each.rule != "device-absent"]
    if any(each.rule != "no-evidence" for each in left):
        return variant, left
    less = any(each.rule in ("no-evidence", "uses-less") for each in judgement.findings)
    if not less or variant.cpu is None or not is_level(variant.arch, variant.cpu):
        return variant, left
    lowest = baseline(variant.arch)
    found = judgement.found or lowest
    # Only the note shows the declared level, so the code was compiled for the baseline.
    found = lowest if includes(variant.arch, found, variant.cpu) else found
    return replace(variant, cpu=found), []
