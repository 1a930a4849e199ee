"""The JSON schema of [tool.variantbuild], and the files derived from the table of settings."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import cast

import pytest

from schemas import Validator, make_validator
from variantbuild.config import resolve_config, settings, table_source
from variantbuild.data import load_table
from variantbuild.errors import ConfigError
from variantbuild.types import TOMLValue

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture(scope="module")
def validator() -> Validator:
    """A validator of the committed schema."""
    return make_validator(load_table("settings.schema"))


def own_tables() -> Iterator[tuple[str, TOMLValue]]:
    """Yield every [tool.variantbuild] of the projects in this repository."""
    for path in (
        ROOT / "pyproject.toml",
        *sorted(ROOT.glob("example_project/pyproject.toml")),
        *sorted(ROOT.glob("tests/packages/*/pyproject.toml")),
        *sorted(ROOT.glob("cmake/examples/*/pyproject.toml")),
    ):
        parsed = cast("Mapping[str, TOMLValue]", tomllib.loads(path.read_text(encoding="utf-8")))
        tool = parsed.get("tool")
        if isinstance(tool, Mapping) and "variantbuild" in tool:
            yield str(path.relative_to(ROOT)), tool["variantbuild"]


def test_tables_of_real_projects_are_valid(validator: Validator) -> None:
    tables = dict(own_tables())
    assert len(tables) > 5
    for name, table in tables.items():
        assert not list(validator.iter_errors(table)), name


def test_the_defaults_are_valid(validator: Validator) -> None:
    table: dict[str, TOMLValue] = {}
    for setting in settings():
        if setting.default is None or setting.kind == "tables":
            continue
        group, dot, name = setting.key.rpartition(".")
        default = setting.default
        value: TOMLValue = list(default) if isinstance(default, tuple) else default
        if dot:
            cast("dict[str, TOMLValue]", table.setdefault(group, {}))[name] = value
        else:
            table[setting.key] = value
    validator.validate(table)


VALID = (
    "",
    'target = "cu12.v3"\naudit = "warn"',
    'cpu = "v3"\ndistro = true\nflags.cxx = ["-O3"]',
    'accelerators = ["cuda", "rocm"]\ncuda = { version = "12.8", architectures = ["90"] }',
    'overrides = [{ if.platform = "linux", cpu = "v3" }]',
    '[[overrides]]\nif.cpu = ["v3", "v4"]\nflags.c = ["-O3"]\ncmake.define.X = true',
    '[[overrides]]\nif = { cpu = "v3", platform = "linux" }\ndependencies = ["a>1"]',
    '[[overrides]]\nif.platform = "linux"\ncmake.define = { A = 1, B = ["x", "y"], C = "z" }',
    'target = "v3"\n[[overrides]]\nif.cpu = "v3"\nfp-contract = "off"',
)

INVALID = (
    "cpu = 3",
    'cpu = " "',
    'cpus = "v3"',
    'audit = "errr"',
    'distro = "perhaps"',
    "accelerators = [1]",
    'delegate_path = ["x"]',
    'rocm = "6"',
    "cuda.version = 12.8",
    "flags.d = []",
    'target = "v3"\ncpu = "v3"',
    'target = "v3"\ncuda.label = "minor"',
    "overrides = 3",
    'overrides.if.cpu = "v3"',
    '[[overrides]]\naudit = "warn"',
    '[[overrides]]\nif = {}\naudit = "warn"',
    '[[overrides]]\nif.cpus = "v3"',
    "[[overrides]]\nif.cpu = []",
    '[[overrides]]\nif.cpu = "v3"\ncuda.version = "13"',
    '[[overrides]]\nif = { cpu = "v3", platform = "linux" }\ncpu = "v3"',
    '[[overrides]]\nif.cpu = "v3"\noverrides = []',
    '[[overrides]]\nif.cpu = "v3"\ndependencies = "a"',
    '[[overrides]]\nif.cpu = "v3"\ncmake.args = []',
)


@pytest.mark.parametrize("text", VALID)
def test_what_the_schema_accepts_is_accepted(text: str, validator: Validator) -> None:
    table = cast("TOMLValue", tomllib.loads(text))
    validator.validate(table)
    resolve_config([table_source("pyproject", "pyproject.toml", table)])


@pytest.mark.parametrize("text", INVALID)
def test_what_is_refused_is_refused_by_the_schema(text: str, validator: Validator) -> None:
    table = cast("TOMLValue", tomllib.loads(text))
    assert not validator.is_valid(table)
    with pytest.raises(ConfigError):
        resolve_config([table_source("pyproject", "pyproject.toml", table)])


def test_strings_in_place_of_booleans_and_lists_are_not_in_the_schema(
    validator: Validator,
) -> None:
    table: TOMLValue = {"distro": "true", "flags": {"c": "-a;-b"}}
    assert len(list(validator.iter_errors(table))) == 2
    config = resolve_config([table_source("pyproject", "pyproject.toml", table)])
    assert (config.distro, config.flags_c) == (True, ("-a", "-b"))


def test_every_setting_is_described(validator: Validator) -> None:
    text = json.dumps(validator.schema, ensure_ascii=False)
    for setting in settings():
        assert json.dumps(setting.doc, ensure_ascii=False) in text


def test_derived_files_are_up_to_date() -> None:
    done = subprocess.run(
        [sys.executable, str(ROOT / "docs" / "generate.py"), "--check"],
        capture_output=True,
        text=True,
        env={"PYTHONPATH": str(ROOT / "backend"), "PATH": ""},
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
