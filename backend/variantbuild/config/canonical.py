"""Canonical forms for digests: of JSON, and of the settings that a wheel depends on."""

from __future__ import annotations

import hashlib
import json
from typing import cast

from variantbuild.config.overrides import added_dependencies, cmake_defines
from variantbuild.config.settings import Config, settings
from variantbuild.types import JSONValue


def digest_json(value: JSONValue) -> str:
    """Return the SHA-256 digest of `value` as canonical JSON, in hexadecimal."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def canonical_settings(config: Config) -> dict[str, JSONValue]:
    """Return the settings of `config` that the bytes of a wheel depend on.

    Where a setting came from is left out, and overrides count by their effect only.
    """
    values: dict[str, JSONValue] = {
        setting.key: cast("JSONValue", getattr(config, setting.field))
        for setting in settings()
        if setting.in_wheel and setting.kind != "tables"
    }
    return {
        **values,
        "dependencies": added_dependencies(config.overrides),
        "cmake.define": cmake_defines(config.overrides),
    }
