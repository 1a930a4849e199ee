"""The JSON schema of `[tool.variantbuild]`, for editors and validators.

It describes TOML as documented, and is stricter than the parser in one respect: strings that are
accepted in place of booleans and lists, as in environment variables, are not part of it.
"""

from __future__ import annotations

from collections.abc import Iterable

from variantbuild.config.kinds import Setting
from variantbuild.config.overrides import AXES, EARLY_AXIS
from variantbuild.config.settings import OVERRIDES, settings
from variantbuild.types import JSONValue

_SCALARS: JSONValue = {"type": ["string", "boolean", "number"]}


def render_schema() -> dict[str, JSONValue]:
    """Return the schema of the table (JSON Schema 2020-12)."""
    plain = [setting for setting in settings() if setting.kind != "tables"]
    (overrides,) = (setting for setting in settings() if setting.key == OVERRIDES)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "[tool.variantbuild] in pyproject.toml",
        "type": "object",
        "additionalProperties": False,
        "properties": {
            **_properties(plain),
            OVERRIDES: {
                "description": overrides.doc,
                "type": "array",
                "items": {"$ref": "#/$defs/override"},
            },
        },
        "allOf": [{"$ref": "#/$defs/targetAlone"}],
        "$defs": {"targetAlone": _target_alone(plain), "override": _override(plain)},
    }


def _override(plain: Iterable[Setting]) -> JSONValue:
    """Describe one table of overrides."""
    names: JSONValue = {
        "oneOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}, "minItems": 1}]
    }
    variables: JSONValue = {
        "type": "object",
        "additionalProperties": {"anyOf": [_SCALARS, {"type": "array", "items": _SCALARS}]},
    }
    platform_only: JSONValue = {
        "properties": {"if": {"type": "object", "propertyNames": {"const": EARLY_AXIS}}}
    }
    return {
        "type": "object",
        "additionalProperties": False,
        "required": ["if"],
        "properties": {
            "if": {
                "description": "The conditions; all of them must match.",
                "type": "object",
                "additionalProperties": False,
                "minProperties": 1,
                "properties": dict.fromkeys(AXES, names),
            },
            "dependencies": {
                "description": "Requirements (PEP 508) to add to the wheel's metadata.",
                **_strings(),
            },
            "cmake": {
                "type": "object",
                "additionalProperties": False,
                "properties": {"define": variables},
            },
            **_properties(plain),
        },
        "if": platform_only,
        "else": {"not": _any_of(setting.key for setting in plain if setting.early)},
    }


def _properties(plain: Iterable[Setting]) -> dict[str, JSONValue]:
    """Describe the settings, those with a dotted key as a sub-table."""
    properties: dict[str, JSONValue] = {}
    groups: dict[str, dict[str, JSONValue]] = {}
    for setting in plain:
        group, dot, name = setting.key.partition(".")
        if dot:
            groups.setdefault(group, {})[name] = _property(setting)
            properties[group] = {
                "type": "object",
                "additionalProperties": False,
                "properties": groups[group],
            }
        else:
            properties[setting.key] = _property(setting)
    return properties


def _property(setting: Setting) -> JSONValue:
    described: dict[str, JSONValue] = {"description": setting.doc}
    match setting.kind:
        case "bool":
            described["type"] = "boolean"
        case "choice":
            described["enum"] = setting.choices
        case "list":
            described |= _strings()
        case "text":
            described |= {"type": "string", "pattern": r"\S"}
        case "tables":
            raise ValueError(f"{setting.key} has a description of its own")
    if setting.default is not None:
        described["default"] = setting.default
    return described


def _target_alone(plain: Iterable[Setting]) -> JSONValue:
    """Refuse a target next to individual keys that it sets."""
    covered = _any_of(setting.key for setting in plain if setting.in_target)
    return {"if": {"required": ["target"]}, "then": {"not": covered}}


def _any_of(keys: Iterable[str]) -> JSONValue:
    return {"anyOf": [_requires(key) for key in keys]}


def _requires(key: str) -> JSONValue:
    group, dot, name = key.partition(".")
    if not dot:
        return {"required": [key]}
    return {"required": [group], "properties": {group: {"required": [name]}}}


def _strings() -> dict[str, JSONValue]:
    return {"type": "array", "items": {"type": "string"}}
