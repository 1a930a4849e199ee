"""The record that prepare leaves for build: written, read back, and refused if it differs."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from variantbuild.frontend.situation import Situation
from variantbuild.hooks.prepared import Prepared, PreparedWheel
from variantbuild.hooks.trialrecord import DoneTrial
from variantbuild.plan.flags.isanote import IsaNote

PLAIN = Prepared(
    situation=Situation(kind="uv", evidence="a trace", cibuildwheel=True),
    plan_digest="abc",
    wheel=None,
)
BUILT = Prepared(
    situation=Situation(kind="pip-sdist", evidence="another"),
    plan_digest="abc",
    wheel=PreparedWheel(name="demo-1.0-py3-none-any.whl", sha256="def"),
    trial=DoneTrial(identity="012", isa_note=IsaNote(level="v3")),
)
UNPROTECTED = replace(
    PLAIN, trial=DoneTrial(identity="012", isa_note=IsaNote(unprotected="the linker is too old"))
)


@pytest.mark.parametrize("prepared", [PLAIN, BUILT, UNPROTECTED])
def test_what_is_written_is_read_back(prepared: Prepared) -> None:
    assert Prepared.parse(str(prepared)) == prepared


@pytest.mark.parametrize(
    "changes",
    [
        {"version": 2},
        {"situation": "conda"},
        {"situation": None},
        {"evidence": 3},
        {"plan": None},
        {"sha256": None},
        {"wheel": ["demo"]},
        {"trial": "012"},
        {"trial": {}},
        {"trial": {"identity": 12}},
        {"trial": {"identity": "012", "level": 3}},
        {"trial": {"identity": "012", "unprotected": False}},
    ],
    ids=str,
)
def test_another_record_is_refused(changes: dict[str, object]) -> None:
    record = json.loads(str(BUILT))
    with pytest.raises(ValueError):
        Prepared.parse(json.dumps({**record, **changes}))


@pytest.mark.parametrize("text", ["", "{", "[]", "null", '"text"'])
def test_what_is_not_a_record_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        Prepared.parse(text)
