"""Overrides: which tables apply, what they change, and what is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from hosts.recorded import RecordedHost
from variantbuild.config import (
    ComputedNames,
    Config,
    chain_names,
    platform_names,
    resolve_config,
    table_source,
)
from variantbuild.config.overrides import added_dependencies, cmake_defines
from variantbuild.config.project import load_machine_overrides, load_project
from variantbuild.config.sources import Source, environment_source, split_config_settings
from variantbuild.errors import ConfigError
from variantbuild.host.local import LocalHost
from variantbuild.plan.choice import variant_names
from variantbuild.probe.machinenames import machine_names
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
    assert added_dependencies(config.overrides) == ("a", "b>1")
    assert cmake_defines(config.overrides) == {"X": "p;q", "Y": "OFF", "Z": "ON"}


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
        ({"if": {"cpu": "v3"}, "audit": "perhaps"}, "expected one of error, strict, downgrade"),
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


CLUSTER = """
cpu = "v2"

[[overrides]]
if.hostname = ["login*", "build??"]
cpu = "v3"

[[overrides]]
if.level = ["v3", "v4"]
if.hostname = "node*"
cpu = "auto"

[[overrides]]
if.hostname = "gpu*"
accelerators = ["cuda"]
cuda.architectures = "native"
"""


@pytest.mark.parametrize(
    ("hostname", "level", "cpu", "accelerators"),
    [
        ("login1.cluster.example", "v4", "v3", ()),
        ("build07", "v4", "v3", ()),
        ("build7", "v4", "v2", ()),
        ("node12", "v2", "v2", ()),
        ("node12.cluster.example", "v4", "auto", ()),
        ("gpu3", "v3", "v2", ("cuda",)),
        ("elsewhere", "v3", "v2", ()),
    ],
)
def test_three_node_types_on_one_home(
    hostname: str, level: str, cpu: str, accelerators: tuple[str, ...], tmp_path: Path
) -> None:
    """The worked example of docs/clusters.md."""
    (tmp_path / "pyproject.toml").write_text("")
    settings_file = tmp_path / "config.toml"
    settings_file.write_text(CLUSTER)
    names = {"hostname": frozenset((hostname, hostname.partition(".")[0]))}
    given = {**names, "level": frozenset((level,))}
    project = load_project(tmp_path, None, {}, machine_files=(settings_file,), machine=given)
    assert project.config.cpu == cpu
    assert project.config.accelerators == accelerators
    # Once the variant is known the same tables apply.
    settled = project.settle(variant_names(Variant.parse("v3", "x86_64")))
    assert settled.config.cpu == cpu
    tables = load_machine_overrides({}, given, machine_files=(settings_file,))
    assert sum(matches for _, matches in tables) == len(project.config.overrides)


def test_the_example_is_that_of_the_documentation() -> None:
    page = Path(__file__).resolve().parents[3] / "docs" / "clusters.md"
    text = page.read_text(encoding="utf-8")
    blocks = [each.partition("```")[0] for each in text.split("```toml")[1:]]
    (block,) = [each for each in blocks if "if.level" in each]
    lines = [line.partition("#")[0].rstrip() for line in block.splitlines()]
    assert "\n".join(line for line in lines if line) == (
        "\n".join(line for line in CLUSTER.splitlines() if line)
    )


@pytest.mark.parametrize("axis", ["hostname", "level"])
def test_a_project_does_not_depend_on_the_machine(axis: str) -> None:
    said = problems({"if": {axis: "v3"}, "cpu": "v3"})
    assert f"if.{axis} of table 1 of overrides in pyproject.toml depends on the machine" in said
    assert "wherever it is built" in said


def test_conditions_of_the_machine_go_with_those_of_the_variant() -> None:
    table: TOMLValue = {"if": {"hostname": "gpu*", "cpu": "v3"}, "flags": {"c": ["-DX"]}}
    source = table_source("file", "config.toml", {"overrides": [table]})
    here = {"hostname": frozenset(("gpu1",))}
    known = {**variant_names(Variant.parse("v3", "x86_64")), **here}
    assert resolve_config([source], here).flags_c == ()
    assert resolve_config([source], known).flags_c == ("-DX",)
    late: TOMLValue = {"if": {"hostname": "gpu*", "cpu": "v3"}, "cpu": "v4"}
    with pytest.raises(ConfigError, match="only if.platform, if.hostname, if.level can be used"):
        resolve_config([table_source("file", "config.toml", {"overrides": [late]})])


def test_the_machine_is_not_probed_without_a_condition_on_it() -> None:
    def fail() -> frozenset[str]:
        raise AssertionError

    names = chain_names(LINUX, ComputedNames(hostname=fail, level=fail))
    table: TOMLValue = {"if": {"platform": "linux"}, "flags": {"c": ["-DX"]}}
    source = table_source("file", "config.toml", {"overrides": [table]})
    assert resolve_config([source], names).flags_c == ("-DX",)


def test_the_names_of_this_machine() -> None:
    names = machine_names(RecordedHost(hostname="gpu07.cluster.example"))
    assert names["hostname"] == {"gpu07.cluster.example", "gpu07"}
    assert names["level"] == frozenset()
    assert machine_names(LocalHost(env={}))["hostname"]


@pytest.mark.parametrize("level", ["v9", "V3", "x86-64-v3", "armv8", "v3+avx512"])
def test_a_level_that_no_machine_has_is_refused(level: str) -> None:
    with pytest.raises(ConfigError, match=r"if\.level of table 1 .* is the level of no machine"):
        resolve_config([file_source(level)])


@pytest.mark.parametrize(
    ("pattern", "level"),
    [
        ("v3", "v3"),
        ("v[34]", "v4"),
        ("v*", "v1"),
        ("armv8.2a", "armv8.2a"),
        ("power9le", "power9le"),
        ("*", "v2"),
    ],
)
def test_levels_and_patterns_of_levels(pattern: str, level: str) -> None:
    assert resolve_config([file_source(pattern)], {"level": frozenset((level,))}).cpu == "v2"


def file_source(level: str) -> Source:
    table: TOMLValue = {"overrides": [{"if": {"level": level}, "cpu": "v2"}]}
    return table_source("file", "config.toml", table)


def test_host_names_are_compared_without_case() -> None:
    for written in ("GPU07", "gpu*", "Gpu07"):
        table: TOMLValue = {"overrides": [{"if": {"hostname": written}, "cpu": "v2"}]}
        source = table_source("file", "config.toml", table)
        assert (
            resolve_config([source], {"hostname": frozenset({"gpu07", "gpu07.Cluster"})}).cpu
            == "v2"
        )


def test_an_empty_name_is_no_condition() -> None:
    table: TOMLValue = {"overrides": [{"if": {"hostname": ""}, "cpu": "v2"}]}
    with pytest.raises(ConfigError, match="expected a name or a list of names"):
        resolve_config([table_source("file", "config.toml", table)])
