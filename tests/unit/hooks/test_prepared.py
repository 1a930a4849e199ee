"""The record that prepare leaves for build: written, read back, and refused if it differs."""

from __future__ import annotations

import json

import pytest

from variantbuild.frontend.situation import Situation
from variantbuild.hooks.prepared import Prepared, PreparedWheel

PLAIN = Prepared(
    situation=Situation(kind="uv", evidence="a trace", cibuildwheel=True),
    plan_digest="abc",
    wheel=None,
)
BUILT = Prepared(
    situation=Situation(kind="pip-sdist", evidence="another"),
    plan_digest="abc",
    wheel=PreparedWheel(name="demo-1.0-py3-none-any.whl", sha256="def"),
)


@pytest.mark.parametrize("prepared", [PLAIN, BUILT], ids=["plain", "built"])
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
