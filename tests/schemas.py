"""Validators of JSON schemas: those of the commands' answers, each made once.

jsonschema loads a grammar of IRIs (rfc3987-syntax 1.1) when it is imported, which takes two
seconds. Here the grammar is loaded when the first IRI is checked.
"""

from __future__ import annotations

import importlib
import json
import sys
from functools import cache
from importlib.resources import files
from importlib.util import find_spec
from types import ModuleType
from typing import cast

from variantbuild.types import JSONValue

_GRAMMAR = "rfc3987_syntax"


def _is_valid_syntax(rule: str, text: str) -> bool:
    return bool(importlib.import_module(_GRAMMAR).is_valid_syntax(rule, text))


def _import_without_grammar() -> None:
    deferred = ModuleType(_GRAMMAR)
    vars(deferred)["is_valid_syntax"] = _is_valid_syntax
    sys.modules[_GRAMMAR] = deferred
    try:
        importlib.import_module("jsonschema")
    finally:
        del sys.modules[_GRAMMAR]


if "jsonschema" not in sys.modules and find_spec(_GRAMMAR) is not None:
    _import_without_grammar()

from jsonschema import Draft202012Validator  # noqa: E402 - see above

Validator = Draft202012Validator


def make_validator(schema: JSONValue) -> Validator:
    """Return a validator of `schema`, which is checked itself."""
    checked = cast("dict[str, JSONValue]", schema)
    Validator.check_schema(checked)
    return Validator(checked)


@cache
def answers_of(command: str) -> Validator:
    """Return the validator of what `variantbuild COMMAND --json` prints."""
    text = files("variantbuild.cli").joinpath(f"{command}.schema.json").read_text("utf-8")
    return make_validator(json.loads(text))
