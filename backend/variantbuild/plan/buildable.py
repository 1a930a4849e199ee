"""Why a machine cannot build for a variant."""

from __future__ import annotations

from typing import TYPE_CHECKING

from variantbuild.errors import FlagsError
from variantbuild.plan.flags import resolve_flags
from variantbuild.probe.facts import Absent, Failed, Found, HostFacts
from variantbuild.variant import Variant

if TYPE_CHECKING:
    pass


def compiler_obstacles(variant: Variant, facts: HostFacts) -> tuple[str, ...]:
    """Say why none of the compilers in `facts` can build for `variant`, a sentence each."""
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
