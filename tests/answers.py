"""The JSON that commands print, checked against their schemas."""

from __future__ import annotations

import json
from importlib.resources import files
from typing import cast

import jsonschema
import pytest


class Answer(dict[str, object]):
    """A command's JSON."""

    @property
    def first(self) -> dict[str, object]:
        """The part on the first wheel."""
        wheels = self["wheels"]
        assert isinstance(wheels, list)
        return cast("dict[str, object]", wheels[0])


def answer(capsys: pytest.CaptureFixture[str], command: str) -> Answer:
    """Return the JSON on standard output, checked against the command's schema."""
    payload = Answer(json.loads(capsys.readouterr().out))
    schema = json.loads(files("variantbuild.cli").joinpath(f"{command}.schema.json").read_text())
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.validate(dict(payload), schema)
    return payload
