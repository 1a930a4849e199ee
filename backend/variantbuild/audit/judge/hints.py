"""What to do about a refusal: a hint for the builder of a wheel, or for the owner of the file.

A hint names nothing that the command at hand does not have: `stamp` and `repair` have no `audit`
setting, and the owner of a downloaded wheel cannot change the flags that compiled it.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import PurePosixPath
from typing import Literal

from variantbuild.audit.judge import judge
from variantbuild.audit.judge.findings import Finding, Judgement
from variantbuild.audit.report import AuditReport
from variantbuild.errors import VariantError
from variantbuild.isa.architecture import architecture
from variantbuild.variant import Variant

Product = Literal["built", "editable", "stamped", "repaired"]
"""`built` is a wheel that this build made, `editable` all that an editable build made, which never
gets a stamp; `stamped` and `repaired` are wheels that were built earlier, and are relabelled by the
command of that name.
"""

DEVICE_RULES = ("device-absent", "device-plan")
TAG_RULES = ("libc-floor",)
_CPU_RULES = ("needs-more", "unknown-switches")
_INSTALL = "install the decoder: pip install 'variantbuild[audit]'"
_IN_REQUIRES = (
    'install the decoder: write requires = ["variantbuild[audit]", …] in [build-system], or '
    "pip install 'variantbuild[audit]' if the build is not isolated"
)
_DECODER: dict[Product, str] = {
    "built": _IN_REQUIRES,
    "editable": _IN_REQUIRES,
    "stamped": _INSTALL,
    "repaired": _INSTALL,
}
_LOOK = "`variantbuild audit` shows what each file of the wheel needs"


def hint_for(variant: Variant, judgement: Judgement, first: Finding, product: Product) -> str:
    """Say what to do about the error `first` of a refused wheel."""
    if any(each.rule == "no-decoder" for each in judgement.errors):
        return _DECODER[product]
    if first.rule == "wrong-machine" and first.path:
        name = PurePosixPath(first.path).name
        finished = product in ("stamped", "repaired")
        way = f"--exclude '{name}'" if finished else f'audit-exclude = ["{name}"]'
        return f"if it is code for another machine on purpose, exempt it: {way}"
    if first.rule == "code-in-any" and product == "built":
        name = PurePosixPath(first.path or "").name
        return (
            "a project with compiled code needs a tag of its platform (with setuptools: "
            "ext_modules, or a Distribution whose has_ext_modules is true); code for another "
            f'machine on purpose is exempt by audit-exclude = ["{name}"]'
        )
    if product in ("built", "editable"):
        return _hint_for_builder(judgement, first)
    target = f"--target {variant}"
    if first.rule == "no-evidence":
        return f"build it for {variant} from its sources: variantbuild build SRC {target}"
    if first.rule == "unknown-switches":
        return "build it again for a level or CPU that has a name in labels, such as v3"
    if first.rule in TAG_RULES and product == "stamped":
        return "write the tag that its symbols allow first: variantbuild repair --tag-only"
    if first.rule == "device-code":
        return f"name the accelerator that its files contain; {_LOOK}"
    return _LOOK


def is_about_cpu(finding: Finding) -> bool:
    """Return whether a finding says that the files need another CPU."""
    return finding.rule in _CPU_RULES


def fitting_level(report: AuditReport, variant: Variant) -> str | None:
    """Return the label of the lowest level that the files of `report` fit; None if none does.

    The other axes are those of `variant`.
    """
    for level in architecture(variant.arch).levels:
        try:
            lower = replace(variant, cpu=level.name)
        except VariantError:
            continue
        judged = judge(report, lower)
        if not lower.is_baseline and judged.ok:
            return str(lower)
        if judged.errors and all(each.rule == "no-decoder" for each in judged.errors):
            return None  # with the decoder, it may fit
    return None


def _hint_for_builder(judgement: Judgement, first: Finding) -> str:
    """Flags of the project's own are named."""
    if first.rule in DEVICE_RULES:
        return "check that the project's build compiles for the architectures that it is given"
    if first.rule in TAG_RULES:
        return (
            "let the build write a linux tag (without --plat-name), and then run `variantbuild "
            "repair`, which writes the lowest policy that the symbols allow"
        )
    if first.rule == "cannot-tell":
        return (
            'if the project checks the CPU there itself, `audit = "error"` stamps the wheel and '
            "records what could not be told"
        )
    if first.rule == "no-evidence":
        return (
            "check that the project's build calls the compiler by its name, and passes PATH, "
            "CFLAGS and CXXFLAGS on"
        )
    recorded = [
        evidence.text
        for each in (*judgement.errors, *judgement.warnings)
        if each.rule in _CPU_RULES
        for evidence in each.evidence
        if evidence.source == "switches"
    ]
    if first.rule in _CPU_RULES and recorded:
        own = f"the project compiles with flags of its own, appended after ours ({recorded[0]}): "
        if any(option in recorded[0] for option in ("-march=", "-mcpu=", "-mtune=")):
            return f"{own}`override-march = true` replaces those that choose a CPU"
        return f"{own}check whether its build can leave them out"
    return 'see all findings with `audit = "warn"`, which publishes the wheel without a stamp'
