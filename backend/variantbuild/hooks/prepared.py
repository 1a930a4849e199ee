"""Passes a record from the prepare hook to the build hook, in the prepared dist-info.

The two hooks run in separate processes. Some traces of a front end (pip's build tracker) are there
at prepare and gone at build, so the detected situation is written down. A wheel that prepare had
to build is recorded with the digest of its plan and of its bytes, and is used only if both still
match.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import cast, get_args

from variantbuild.frontend.situation import Situation, SituationKind
from variantbuild.hooks.trialrecord import DoneTrial, describe_trial
from variantbuild.plan import BuildPlan
from variantbuild.plan.flags.isanote import IsaNote
from variantbuild.types import JSONValue
from variantbuild.values import dataclass

#: The record, inside the prepared dist-info.
RECORD_FILE = "variantbuild.json"

#: Where prepare leaves the wheel it built, next to the prepared dist-info.
WHEEL_DIRECTORY = ".variantbuild"

_FORMAT = 1


@dataclass(frozen=True, kw_only=True, slots=True)
class PreparedWheel:
    """A wheel that prepare built: its file name and the SHA-256 of its bytes."""

    name: str
    sha256: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Prepared:
    """What prepare detected and did; `wheel` is None if it did not build one."""

    situation: Situation
    plan_digest: str
    wheel: PreparedWheel | None
    trial: DoneTrial | None = None

    @classmethod
    def parse(cls, text: str) -> Prepared:
        """Parse the record; raises ValueError for anything but a record of this version."""
        record = cast("object", json.loads(text))
        if not isinstance(record, dict) or record.get("version") != _FORMAT:
            raise ValueError("not a record of this version")
        fields = cast("dict[str, JSONValue]", record)
        kind = _string(fields, "situation")
        if kind not in get_args(SituationKind):
            raise ValueError(f"unknown situation {kind!r}")
        has_wheel = fields.get("wheel") is not None
        return cls(
            situation=Situation(
                kind=cast("SituationKind", kind),
                evidence=_string(fields, "evidence"),
                cibuildwheel=fields.get("cibuildwheel") is True,
                keeps_file=fields.get("keeps-file") is True,
            ),
            plan_digest=_string(fields, "plan"),
            wheel=PreparedWheel(name=_string(fields, "wheel"), sha256=_string(fields, "sha256"))
            if has_wheel
            else None,
            trial=_parse_trial(fields.get("trial")),
        )

    def __str__(self) -> str:
        record = {
            "version": _FORMAT,
            "situation": self.situation.kind,
            "evidence": self.situation.evidence,
            "cibuildwheel": self.situation.cibuildwheel,
            "keeps-file": self.situation.keeps_file,
            "plan": self.plan_digest,
            "wheel": None if self.wheel is None else self.wheel.name,
            "sha256": None if self.wheel is None else self.wheel.sha256,
            "trial": None
            if self.trial is None
            else {
                "identity": self.trial.identity,
                "level": self.trial.isa_note.level,
                "unprotected": self.trial.isa_note.unprotected,
            },
        }
        return json.dumps(record, indent=1) + "\n"


def _parse_trial(value: JSONValue) -> DoneTrial | None:
    if value is None:
        return None
    if not isinstance(value, dict):
        raise ValueError(f"trial is {value!r}, not an object")  # noqa: TRY004 - parsing text
    note = {key: value[key] for key in ("level", "unprotected") if value.get(key) is not None}
    texts = {key: _string(note, key) for key in note}
    return DoneTrial(identity=_string(value, "identity"), isa_note=IsaNote(**texts))


def _string(fields: dict[str, JSONValue], key: str) -> str:
    value = fields.get(key)
    if not isinstance(value, str):
        raise ValueError(f"{key} is {value!r}, not a string")  # noqa: TRY004 - parsing text
    return value


def write_prepared(
    plan: BuildPlan, dist_info: Path, wheel: Path | None, env: Mapping[str, str]
) -> None:
    """Write the record of `plan`, and of the `wheel` that was built for it, into `dist_info`."""
    built = None if wheel is None else PreparedWheel(name=wheel.name, sha256=_sha256(wheel))
    prepared = Prepared(
        situation=plan.situation,
        plan_digest=plan.digest,
        wheel=built,
        trial=describe_trial(plan, env),
    )
    (dist_info / RECORD_FILE).write_text(str(prepared), encoding="utf-8")


def read_prepared(metadata_directory: str | None) -> Prepared | None:
    """Return the record in `metadata_directory`; None without a readable one."""
    if metadata_directory is None:
        return None
    try:
        return Prepared.parse(Path(metadata_directory, RECORD_FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None


def find_wheel(prepared: Prepared, metadata_directory: Path, plan: BuildPlan) -> Path | None:
    """Return the wheel that prepare built; None unless its plan and bytes are unchanged."""
    if prepared.wheel is None or prepared.plan_digest != plan.digest:
        return None
    wheel = metadata_directory.parent / WHEEL_DIRECTORY / Path(prepared.wheel.name).name
    if not wheel.is_file() or _sha256(wheel) != prepared.wheel.sha256:
        return None
    return wheel


def unpack_metadata(wheel_path: Path, directory: Path) -> Path:
    """Write the dist-info of the wheel at `wheel_path` into `directory`; return its path."""
    from variantbuild.stamp.exemptions import exemptions
    from variantbuild.wheel import open_wheel, verify_wheel

    with open_wheel(wheel_path) as wheel:
        inventory = verify_wheel(wheel, trust_record=True, exempt=exemptions())
        inside = f"{inventory.dist_info}/"
        for member in inventory.files:
            if member.name.startswith(inside):
                target = directory / member.name
                target.parent.mkdir(parents=True, exist_ok=True)
                with target.open("wb") as stream:
                    stream.writelines(wheel.stream(member))
    return directory / inventory.dist_info


def _sha256(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        while chunk := stream.read(1 << 20):
            digest.update(chunk)
    return digest.hexdigest()
