"""Whether a package passes, and if not, why."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from realworld.outcome import Outcome
from realworld.recipes import TARGETS, Recipe


@dataclass(frozen=True, kw_only=True, slots=True)
class Verdict:
    """`problems` are the reasons why the package does not pass, each after the target's name."""

    problems: tuple[str, ...]

    @property
    def passes(self) -> bool:
        """Return whether the outcome is what the recipe expects."""
        return not self.problems


def verdict(recipe: Recipe, outcome: Outcome, targets: Sequence[str] = TARGETS) -> Verdict:
    """Judge `outcome` of `targets` by what `recipe` expects.

    If the audit must refuse a target, a wheel for it is a problem.
    """
    if outcome.failure:
        return Verdict(problems=(outcome.failure,))
    problems = []
    for target in targets:
        found = outcome.targets.get(target)
        if found is None:
            problems.append(f"{target}: not run")
        elif is_refused(recipe, outcome, target):
            if not found.error:
                problems.append(f"{target}: built, but it must be refused")
            elif recipe.refused[target] not in found.error:
                problems.append(f"{target}: refused for another reason: {found.error}")
        else:
            problems += [f"{target}: {problem}" for problem in found.problems]
    return Verdict(problems=tuple(problems))


def is_refused(recipe: Recipe, outcome: Outcome, target: str) -> bool:
    """Return whether `recipe` expects no wheel for `target`.

    On a machine whose native level is the target's, such a wheel is correct.
    """
    native = outcome.targets.get("native")
    same = native is not None and outcome.targets[target].march == native.march
    return target in recipe.refused and not (same and "native" not in recipe.refused)
