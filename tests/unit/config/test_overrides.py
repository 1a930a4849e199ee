"""Overrides: which tables apply, what they change, and what is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from variantbuild.config import Config, platform_names, resolve_config, table_source
from variantbuild.config.project import load_project
from variantbuild.config.sources import Source, environment_source, split_config_settings
from variantbuild.errors import ConfigError
from variantbuild.plan import variant_names
from variantbuild.types import TOMLValue
from variantbuild.variant import Variant

LINUX = platform_names("linux-x86_64")


def pyproject(*tables: TOMLValue, **plain: TOMLValue) -> Source:
    return table_source("pyproject", "pyproject.toml", {**plain, "overrides": list(tables)})


def resolve(label: str, *sources: Source, arch: str = "x86_64") -> Config:
    return resolve_config(sources, {**LINUX, **variant_names(Variant.parse(label, arch))})


def problems(*tables: TOMLValue) -> str:
    with pytest.raises(ConfigError) as caught:
        resolve_config([pyproject(*tables)])
    assert caught.value.exit_code == 2
    return str(caught.value)


@pytest.mark.parametrize(
    ("condition", "label", "holds"),
    [
        ({"cpu": "v3"}, "v3", True),
        ({"cpu": "v3"}, "v4", False),
        ({"cpu": ["v3", "v4"]}, "v4", True),
        ({"cpu": "zen*"}, "zen4", True),
        ({"cpu": "none"}, "cu13", True),
        ({"cpu": "v1"}, "v1", True),
        ({"accelerator": "cuda"}, "cu13.v3", True),
        ({"accelerator": "cu13"}, "cu13.v3", True),
        ({"accelerator": "rocm"}, "cu13.v3", False),
        ({"accelerator": "none"}, "v3", True),
        ({"accelerator": "cuda", "cpu": "v2"}, "cu13.v3", False),
        ({"distro": "fc"}, "fc39.v3", True),
        ({"distro": "fc40"}, "fc39.v3", False),
        ({"platform": "linux"}, "v3", True),
        ({"platform": "linux-*"}, "v3", True),
        ({"platform": "macosx*"}, "v3", False),
    ],
)
def test_conditions(condition: TOMLValue, label: str, holds: bool) -> None:
    config = resolve(label, pyproject({"if": condition, "flags": {"c": ["-DX"]}}))
    assert config.flags_c == (("-DX",) if holds else ())
    assert len(config.overrides) == holds


def test_what_is_not_known_yet_does_not_hold() -> None:
    source = pyproject({"if": {"cpu": "v3"}, "audit": "warn"}, {"if": {"platform": "linux"}})
    assert [each.place for each in resolve_config([source], LINUX).overrides] == [
        "table 2 of overrides in pyproject.toml"
    ]


def test_an_override_beats_its_own_source_and_not_a_higher_one() -> None:
    project = pyproject({"if": {"cpu": "v3"}, "audit": "warn", "fp-contract": "off"}, audit="error")
    user = table_source("file", "user.toml", {"fp-contract": "fast"})
    config = resolve("v3", user, project)
    assert (config.audit, config.fp_contract) == ("warn", "fast")
    assert config.origin("audit") == "table 1 of overrides in pyproject.toml"
    assert resolve("v2", user, project).audit == "error"


def test_the_later_table_and_the_higher_file_win_and_additions_add_up() -> None:
    condition: TOMLValue = {"cpu": "v3"}
    project = pyproject(
        {
            "if": condition,
            "dependencies": ["a"],
            "cmake": {"define": {"X": 1, "Y": True, "Z": True}},
        },
        {"if": condition, "dependencies": ["b>1", "a"], "cmake": {"define": {"X": ["p", "q"]}}},
    )
    user = table_source(
        "file", "user.toml", {"overrides": [{"if": condition, "cmake": {"define": {"Y": False}}}]}
    )
    config = resolve("v3", user, project)
    assert config.dependencies == ("a", "b>1")
    assert config.cmake_defines == {"X": "p;q", "Y": "OFF", "Z": "ON"}


def test_the_variant_is_chosen_by_platform_alone() -> None:
    config = resolve_config([pyproject({"if": {"platform": "linux"}, "cpu": "v2"})], LINUX)
    assert config.cpu == "v2"
    text = problems({"if": {"cpu": "v3"}, "cuda": {"version": "13"}})
    assert (
        "cuda.version of table 1 of overrides in pyproject.toml takes part in choosing the variant"
        in text
    )


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ({"audit": "warn"}, "table 1 of overrides in pyproject.toml has no condition"),
        ({"if": {"cpus": "v3"}}, "if.cpus of table 1 .* did you mean 'cpu'?"),
        ({"if": {"cpu": 3}}, "if.cpu of table 1 .* is 3: expected a name"),
        ({"if": {"cpu": ["v3", 4]}}, r"is \['v3', 4\]: expected a name or a list of names"),
        ({"if": "v3"}, "has no condition"),
        ({"if": {"cpu": "v3"}, "dependencies": ["a", 1]}, "expected a list of requirements"),
        ({"if": {"cpu": []}}, r"is \[\]: expected a name or a list of names"),
        ({"if": {"cpu": "v3"}, "audti": "warn"}, "audti of .* did you mean 'audit'?"),
        ({"if": {"cpu": "v3"}, "audit": "perhaps"}, "expected one of error, downgrade"),
        ({"if": {"cpu": "v3"}, "overrides": []}, "overrides of table 1 .* is not a setting"),
        ({"if": {"cpu": "v3"}, "dependencies": "a"}, "expected a list of requirements"),
        ({"if": {"cpu": "v3"}, "dependencies": ["a=1"]}, "'a=1' in dependencies of table 1"),
        ({"if": {"cpu": "v3"}, "cmake": {"args": []}}, "only cmake.define is supported"),
        ({"if": {"cpu": "v3"}, "cmake": 3}, "cmake of table 1 .* is 3"),
        (3, r"overrides in pyproject.toml is \[3\]: expected an array of tables"),
    ],
)
def test_refusals(table: TOMLValue, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        resolve_config([pyproject(table)])


def test_all_problems_of_all_tables_at_once() -> None:
    text = problems({"audit": "warn"}, {"if": {"cpu": "v3"}, "flags": {"d": []}})
    assert text.startswith("2 settings are invalid")


def test_single_brackets_are_reported() -> None:
    source = table_source("pyproject", "pyproject.toml", {"overrides": {"if": {"cpu": "v3"}}})
    with pytest.raises(ConfigError, match=r"write \[\[tool.variantbuild.overrides\]\]"):
        resolve_config([source])


def test_only_files_hold_tables() -> None:
    for source in (
        environment_source({"VARIANTBUILD_OVERRIDES": "x"}),
        split_config_settings({"variantbuild.overrides": "x"})[0],
    ):
        with pytest.raises(ConfigError, match="only pyproject.toml and settings files can"):
            resolve_config([source])


def test_the_project_settles_once_the_variant_is_known(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text(
        "[[tool.variantbuild.overrides]]\nif.cpu = 'v3'\nisa-guard = false\n", encoding="utf-8"
    )
    project = load_project(tmp_path, None, {}, machine_files=())
    assert project.config.isa_guard
    names = variant_names(Variant.parse("v3", "x86_64"))
    assert not project.settle({**LINUX, **names}).config.isa_guard
