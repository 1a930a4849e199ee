"""A trial compilation that the prepare hook ran, for the build hook of the same front end.

It is used again only if the same commands would run in the same environment, with compilers whose
files have not changed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from variantbuild.config.canonical import digest_json
from variantbuild.host.ending import VARIABLE
from variantbuild.plan import BuildPlan
from variantbuild.plan.flags.isanote import IsaNote
from variantbuild.plan.flags.trial import Trial
from variantbuild.plan.flags.trialprobe import Command
from variantbuild.types import JSONValue
from variantbuild.values import dataclass

#: Variables of front ends and of a hook's own process, which differ between the hooks of a build.
_OF_ONE_HOOK = ("PIP_", "UV_", "PEP517_", "_PYPROJECT_HOOKS_", VARIABLE)


@dataclass(frozen=True, kw_only=True, slots=True)
class DoneTrial:
    """A trial that no compiler refused: a digest of what it depends on, and the note it found."""

    identity: str
    isa_note: IsaNote


def find_trial(
    done: DoneTrial, plan: BuildPlan, asked: Sequence[Command], env: Mapping[str, str]
) -> Trial | None:
    """Return the trial of `plan`, whose first commands are `asked`, if it is the one `done`."""
    if done.identity != identify_trial(plan, asked, env):
        return None
    return Trial(asked=tuple(asked), isa_note=done.isa_note)


def describe_trial(plan: BuildPlan, env: Mapping[str, str]) -> DoneTrial | None:
    """Return the trial of `plan`; None if its flags have not been tried."""
    if plan.trial is None:
        return None
    return DoneTrial(
        identity=identify_trial(plan, plan.trial.asked, env), isa_note=plan.trial.isa_note
    )


def identify_trial(plan: BuildPlan, asked: Sequence[Command], env: Mapping[str, str]) -> str:
    """Return a digest of what a trial depends on: commands, compilers and environment."""
    return digest_json(
        {
            "commands": [list(command) for command in asked],
            "compilers": list(_compilers(plan)),
            "environment": {
                name: value for name, value in env.items() if not name.startswith(_OF_ONE_HOOK)
            },
        }
    )


def _compilers(plan: BuildPlan) -> Iterator[list[JSONValue]]:
    """Yield each program of the compilers' commands, with its version and the state of its file."""
    for language, compiler in plan.compilers:
        for word in compiler.command:
            found: list[JSONValue] = [language, compiler.version, word]
            with suppress(OSError):  # an argument, not a program
                status = Path(word).stat()
                found += [status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns]
            yield found
