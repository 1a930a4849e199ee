"""Why a machine cannot build for a variant, apart from its accelerator."""

from __future__ import annotations

from variantbuild.errors import FlagsError
from variantbuild.plan.flags import resolve_flags
from variantbuild.probe.facts import Absent, Failed, Found, HostFacts
from variantbuild.select.obstacle import Obstacle
from variantbuild.variant import Variant


def compiler_obstacles(variant: Variant, facts: HostFacts) -> tuple[Obstacle, ...]:
    """Return why none of the compilers in `facts` can build for `variant`."""
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
        reasons.append(f"no compiler was found: {'; '.join(missing)}")
    return tuple(Obstacle(subject="compiler", text=text) for text in dict.fromkeys(reasons))
