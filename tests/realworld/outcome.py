"""The outcome of one package, as a value that is stored as JSON."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast


@dataclass(frozen=True, kw_only=True, slots=True)
class TargetOutcome:
    """One package built for one target.

    `error` is the message of the build if there is no wheel. `cpu` are CPU seconds of the build,
    `beside` those outside of the compilers. `lines` are compiler calls, `plain_lines` those of the
    build without variantbuild (0 if it was not built), `strays` those without the expected -march.
    `modules` maps each compiled file to the evidence of its level (empty: none), `needs` to what
    its instructions need. `pip`, `uv` and `check` are empty on success. `noticed` are the compiled
    files without which the check fails.
    """

    march: str
    seconds: float
    cpu: float
    beside: float = 0.0
    error: str = ""
    label: str = ""
    wheel: str = ""
    lines: int = 0
    plain_lines: int = 0
    strays: tuple[str, ...] = ()
    modules: Mapping[str, str] = field(default_factory=dict)
    needs: Mapping[str, str] = field(default_factory=dict)
    notes: Mapping[str, str] = field(default_factory=dict)
    findings: tuple[str, ...] = ()
    audited: bool = False
    pip: str = "not tried"
    uv: str = "not tried"
    check: str = "not tried"
    noticed: tuple[str, ...] = ()

    @property
    def problems(self) -> tuple[str, ...]:
        """Everything that prevents the target from passing, a sentence each."""
        if self.error:
            return (self.error,)
        found = []
        expected = max(self.plain_lines, 1)
        if self.lines < expected:
            found.append(f"only {self.lines} of {expected} compiler calls were recorded")
        if self.strays:
            found.append(f"{len(self.strays)} of {self.lines} compiler calls lack {self.march}")
        if not self.audited:
            found.append("the audit found errors")
        if not self.modules:
            found.append("nothing was compiled")
        for name, shown in self.modules.items():
            if not shown:
                found.append(f"{name} has no evidence of {self.march}")
        for tool, output in (("pip", self.pip), ("uv", self.uv), ("the check", self.check)):
            if output:
                found.append(f"{tool} failed: {output.strip().splitlines()[-1]}")
        if not self.check:
            missed = [name for name in self.modules if name not in self.noticed]
            if missed:
                found.append(f"the check passes without {', '.join(missed)}")
        return tuple(found)


@dataclass(frozen=True, kw_only=True, slots=True)
class Outcome:
    """The outcome of one package: the plain build, each target, and the timed loop.

    `failure` is an error that stopped everything, such as an sdist that cannot be downloaded.
    """

    name: str
    version: str
    when: str
    python: str
    compiler: str
    backend: str = ""
    failure: str = ""
    plain_seconds: float = 0.0
    plain_cpu: float = 0.0
    plain_beside: float = 0.0
    plain_error: str = ""
    plain_lines: int = 0
    targets: Mapping[str, TargetOutcome] = field(default_factory=dict)
    loop: Mapping[str, float] = field(default_factory=dict)


def write_outcome(outcome: Outcome, directory: Path) -> None:
    """Store `outcome` in `directory`, atomically."""
    directory.mkdir(parents=True, exist_ok=True)
    part = directory / f"{outcome.name}.part"
    part.write_text(json.dumps(dataclasses.asdict(outcome), indent=1) + "\n", encoding="utf-8")
    part.replace(directory / f"{outcome.name}.json")


def read_outcome(name: str, directory: Path) -> Outcome | None:
    """Return the stored outcome for `name`, None if there is none."""
    try:
        value = json.loads((directory / f"{name}.json").read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    targets = cast("dict[str, dict[str, object]]", value.pop("targets"))
    return Outcome(**value, targets={key: _target(row) for key, row in targets.items()})


def _target(row: dict[str, object]) -> TargetOutcome:
    lists = {key: tuple(value) for key, value in row.items() if isinstance(value, list)}
    return TargetOutcome(**cast("dict[str, str]", {**row, **lists}))  # type: ignore[arg-type]
