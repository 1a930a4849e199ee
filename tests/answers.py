"""The JSON that commands print, checked against their schemas."""

from __future__ import annotations

import json
from typing import cast

import pytest

from schemas import answers_of


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
    return check(command, capsys.readouterr().out)


def check(command: str, text: str) -> Answer:
    """Return the JSON in `text`, checked against the schema of `command`."""
    payload = json.loads(text)
    answers_of(command).validate(payload)
    return Answer(payload)
