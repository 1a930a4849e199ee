"""Whether a package counts, and if not, why."""

from __future__ import annotations

from dataclasses import dataclass

from realworld.outcome import Outcome
from realworld.recipes import TARGETS, Recipe


@dataclass(frozen=True, kw_only=True, slots=True)
class Verdict:
    """`problems` are what keeps the package from counting, with the target's name in front."""

    problems: tuple[str, ...]

    @property
    def counts(self) -> bool:
        """Tell whether nothing keeps the package from counting."""
        return not self.problems


def verdict(recipe: Recipe, outcome: Outcome) -> Verdict:
    """Judge `outcome` by what `recipe` expects.

    Where the audit has to refuse a target, a wheel of it is the problem.
    """
    if outcome.failure:
        return Verdict(problems=(outcome.failure,))
    problems = []
    for target in TARGETS:
        found = outcome.targets.get(target)
        if found is None:
            problems.append(f"{target}: not tried")
        elif target in recipe.refused:
            if not found.error:
                problems.append(f"{target}: built, but it has to be refused")
            elif recipe.refused[target] not in found.error:
                problems.append(f"{target}: refused with other words: {found.error}")
        else:
            problems += [f"{target}: {problem}" for problem in found.problems]
    return Verdict(problems=tuple(problems))
