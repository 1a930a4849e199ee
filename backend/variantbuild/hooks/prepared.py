"""What the prepare hook tells the build hook: a record in the prepared dist-info.

The two run in processes of their own. Front ends leave traces at prepare that are gone at build
(pip's tracker), so the situation is written down; and a wheel that prepare had to build is named
with the digest of its plan and of its bytes, to be picked up only where both still hold.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from variantbuild.frontend.situation import Situation, SituationKind
from variantbuild.plan import BuildPlan

#: The record, inside the prepared dist-info.
RECORD_FILE = "variantbuild.json"

#: Where prepare leaves the wheel it built, beside the prepared dist-info.
WHEEL_FOLDER = ".variantbuild"


@dataclass(frozen=True, kw_only=True, slots=True)
class Decision:
    """What prepare saw and did. `wheel` is None where it built none."""

    situation: Situation
    plan_digest: str
    wheel: str | None
    wheel_sha256: str | None


def write(plan: BuildPlan, dist_info: Path, wheel: Path | None) -> None:
    """Write the record of `plan`, and of the `wheel` that was built for it, into `dist_info`."""
    record = {
        "version": 1,
        "situation": plan.situation.kind,
        "evidence": plan.situation.evidence,
        "cibuildwheel": plan.situation.cibuildwheel,
        "plan": plan.digest,
        "wheel": wheel and wheel.name,
        "sha256": wheel and _sha256(wheel),
    }
    (dist_info / RECORD_FILE).write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")


def read(metadata_directory: str | None) -> Decision | None:
    """Return the record in `metadata_directory`, None where there is none that can be read."""
    if metadata_directory is None:
        return None
    try:
        text = Path(metadata_directory, RECORD_FILE).read_text(encoding="utf-8")
        record = cast("dict[str, str | bool | None]", json.loads(text))
        return Decision(
            situation=Situation(
                kind=cast("SituationKind", record["situation"]),
                evidence=str(record["evidence"]),
                cibuildwheel=bool(record["cibuildwheel"]),
            ),
            plan_digest=str(record["plan"]),
            wheel=cast("str | None", record["wheel"]),
            wheel_sha256=cast("str | None", record["sha256"]),
        )
    except (OSError, ValueError, KeyError, TypeError):
        return None


def find_wheel(decision: Decision, metadata_directory: Path, plan: BuildPlan) -> Path | None:
    """Return the wheel that prepare built, None unless plan and bytes are those of the record."""
    if decision.wheel is None or decision.plan_digest != plan.digest:
        return None
    wheel = metadata_directory.parent / WHEEL_FOLDER / decision.wheel
    if not wheel.is_file() or _sha256(wheel) != decision.wheel_sha256:
        return None
    return wheel


def _sha256(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        while block := stream.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()
