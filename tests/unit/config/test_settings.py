"""The table of settings: one declaration from which everything else is derived."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path
from types import NoneType
from typing import Literal, get_args, get_origin, get_type_hints

import pytest

from variantbuild.config import (
    Config,
    Setting,
    environment_source,
    resolve_config,
    settings,
    split_config_settings,
    table_source,
)
from variantbuild.config.canonical import canonical_settings
from variantbuild.config.overrides import Override
from variantbuild.config.sources import Source
from variantbuild.types import TOMLValue

PLAIN = tuple(setting for setting in settings() if setting.kind != "tables")

#: A value of each setting that is not its default, as a config-setting and as a value.
OTHER: dict[str, str] = {
    "audit-exclude": "*.bin",
    "delegate": "mesonpy",
    "delegate-path": "tools",
    "target": "v3",
    "bundle": "v3",
    "bundle-method": "stub",
    "bundle-parallel": "false",
    "bundle-take-baseline": "*/config.py",
    "cpu": "v2",
    "accelerators": "cuda",
    "cuda.version": "12.8",
    "cuda.architectures": "90",
    "cuda.ptx": "false",
    "cuda.label": "minor",
    "cuda.toolkit": "pypi",
    "rocm.version": "6.4",
    "rocm.architectures": "gfx90a",
    "distro": "true",
    "local-version": "never",
    "platform-tag": "plain",
    "isa-guard": "false",
    "audit": "warn",
    "override-march": "true",
    "build-cache": "true",
    "fp-contract": "off",
    "flags.c": "-O1",
    "flags.cxx": "-O1",
    "flags.fortran": "-O1",
    "flags.cuda": "-O1",
    "flags.hip": "-O1",
    "flags.link": "-s",
}


def named(setting: Setting) -> str:
    return setting.key


def given(**values: str) -> Source:
    return split_config_settings({f"variantbuild.{key}": value for key, value in values.items()})[0]


def digest(config: Config) -> str:
    return hashlib.sha256(
        json.dumps(canonical_settings(config), sort_keys=True).encode()
    ).hexdigest()


def test_every_field_but_the_origins_is_a_setting() -> None:
    names = [field.name for field in dataclasses.fields(Config)]
    assert names == [*(setting.field for setting in settings()), "origins"]


def test_no_two_settings_share_a_name() -> None:
    assert len({setting.variable for setting in settings()}) == len(settings())
    assert {setting.key for setting in PLAIN} == OTHER.keys()


@pytest.mark.parametrize("setting", settings(), ids=named)
def test_kind_and_choices_are_those_of_the_field(setting: Setting) -> None:
    hint = get_type_hints(Config)[setting.field]
    match setting.kind:
        case "bool":
            assert hint is bool
        case "list":
            assert hint == tuple[str, ...]
        case "choice":
            assert get_origin(hint) is Literal
            assert get_args(hint) == setting.choices
        case "text":
            assert set(get_args(hint) or (hint,)) <= {str, NoneType}
        case "tables":
            assert hint == tuple[Override, ...]
    assert getattr(Config(), setting.field) == setting.default
    assert setting.doc.endswith(".")


@pytest.mark.parametrize("setting", PLAIN, ids=named)
def test_canonical_form_depends_on_the_value_and_not_on_the_source(setting: Setting) -> None:
    raw = OTHER[setting.key]
    value: TOMLValue = raw
    match setting.kind:
        case "bool":
            value = raw == "true"
        case "list":
            value = [raw]
    override: TOMLValue = {"if": {"platform": "linux"}, setting.key: value}
    configs = [
        resolve_config([source], {"platform": frozenset(("linux",))})
        for source in (
            given(**{setting.key: raw}),
            environment_source({setting.variable: raw}),
            table_source("file", "/etc/variantbuild.toml", {setting.key: value}),
            table_source("pyproject", "pyproject.toml", {setting.key: value}),
            table_source("pyproject", "pyproject.toml", {"overrides": [override]}),
        )
    ]
    assert all(getattr(config, setting.field) != setting.default for config in configs)
    assert len({digest(config) for config in configs}) == 1
    changes = digest(configs[0]) != digest(Config())
    assert changes is (setting.key not in ("build-cache", "bundle-parallel"))


def test_canonical_form_keeps_the_order_of_lists() -> None:
    one, other = given(**{"flags.c": "-a;-b"}), given(**{"flags.c": "-b;-a"})
    assert digest(resolve_config([one])) != digest(resolve_config([other]))


def test_canonical_form_has_the_effect_of_overrides() -> None:
    def config(*tables: TOMLValue) -> Config:
        source = table_source("pyproject", "pyproject.toml", {"overrides": list(tables)})
        return resolve_config([source], {"platform": frozenset(("linux",))})

    linux: TOMLValue = {"platform": "linux"}
    plain = digest(Config())
    assert digest(config({"if": {"platform": "macosx*"}, "dependencies": ["a"]})) == plain
    adds = digest(config({"if": linux, "dependencies": ["a"]}))
    assert adds not in (plain, digest(config({"if": linux, "dependencies": ["b"]})))
    assert digest(config({"if": {"platform": ["linux", "x"]}, "dependencies": ["a"]})) == adds
    defines = digest(config({"if": linux, "cmake": {"define": {"X": 1}}}))
    assert defines not in (plain, adds)
    both: list[TOMLValue] = [
        {"if": linux, "cmake": {"define": {"X": 1}}},
        {"if": linux, "cmake": {"define": {"Y": 1}}},
    ]
    assert digest(config(*both)) == digest(config(*reversed(both)))


def test_canonical_form_is_the_same_under_every_hash_seed() -> None:
    code = (
        "import json; from variantbuild.config import resolve_config, table_source\n"
        "tables = [{'if': {'platform': ['linux', 'x']}, 'cmake': {'define': {'A': 1, 'B': 2}}}]\n"
        "source = table_source('file', 'x', {'cpu': 'v3', 'overrides': tables})\n"
        "config = resolve_config([source], {'platform': frozenset(('linux', 'linux-x86_64'))})\n"
        "from variantbuild.config.canonical import canonical_settings\n"
        "print(json.dumps(canonical_settings(config), sort_keys=True))\n"
    )
    backend = Path(__file__).resolve().parents[3] / "backend"
    shown = {
        subprocess.run(
            [sys.executable, "-c", code],
            env={**os.environ, "PYTHONPATH": str(backend), "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("0", "1", "2")
    }
    assert len(shown) == 1
    assert '"cpu": "v3"' in shown.pop()
