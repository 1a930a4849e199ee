"""Settings that nothing would read: another heading, another prefix, a table for a value."""

from __future__ import annotations

from pathlib import Path

import pytest

from variantbuild.config.kinds import closest
from variantbuild.config.project import Project, load_project
from variantbuild.config.settings import settings
from variantbuild.errors import ConfigError


def load(
    tree: Path,
    text: str = "",
    given: dict[str, str | list[str]] | None = None,
    env: dict[str, str] | None = None,
) -> Project:
    (tree / "pyproject.toml").write_text(text, encoding="utf-8")
    return load_project(tree, given or {}, env or {}, machine_files=())


@pytest.mark.parametrize(
    "heading",
    [
        "tool.variantbuilds",
        "tool.varientbuild",
        "tool.variant_build",
        "tool.VARIANTBUILD",
        "tools.variantbuild",
        "project.variantbuild",
        "build-system.variantbuild",
        "tool.build.variantbuild",
        "tool.setuptools.variantbuild",
    ],
)
def test_headings_like_ours_are_refused(tmp_path: Path, heading: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load(tmp_path, f'[{heading}]\ncpu = "v3"\nflags.c = ["-O2"]\n')
    assert caught.value.message.startswith(f"[{heading}] in pyproject.toml is not read")


@pytest.mark.parametrize(
    "text",
    [
        "[tool.variantlib]\nx = 1\n",
        '[tool.uv.sources]\nvariantbuild = { path = "../variantbuild" }\n',
        '[project.optional-dependencies]\nvariantbuild = ["variantbuild"]\n',
        '[tool.hatch.envs.variantbuild]\ndependencies = ["x"]\n',
        '[tool.poetry.dependencies]\nvariantbuild = "*"\n',
        '[tool.pixi.pypi-dependencies]\nvariantbuild = { version = "*" }\n',
        '[[tool.mypy.overrides]]\nmodule = "variantbuild.*"\n',
    ],
)
def test_tables_of_others_are_not_ours(tmp_path: Path, text: str) -> None:
    assert load(tmp_path, text).config.cpu == "auto"


@pytest.mark.parametrize(
    ("key", "written"),
    [
        ("variantbuild_cpu", "cpu"),
        ("variantbuild-cuda-architectures", "cuda.architectures"),
        ("VARIANTBUILD_AUDIT", "audit"),
        ("variantbuild", "cpu"),
        ("variantbuild:target", "target"),
        ("--variantbuild.cpu", "cpu"),
        ("variant-build.isa-guard", "isa-guard"),
        ("varianbuild.cpu", "cpu"),
        ("Variantbuild.distro", "distro"),
    ],
)
def test_config_settings_like_ours_are_refused(tmp_path: Path, key: str, written: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load(tmp_path, given={key: "v3"})
    assert caught.value.message.startswith(f"the config-setting {key} is not read")
    assert caught.value.hint == f"write -C variantbuild.{written}=VALUE"


@pytest.mark.parametrize("key", ["cmake.define.VARIANTBUILD_X", "variants", "build-dir", "--x"])
def test_config_settings_of_the_delegate_pass(tmp_path: Path, key: str) -> None:
    assert load(tmp_path, given={key: "v3"}).delegate_settings == {key: "v3"}


@pytest.mark.parametrize("name", ["variantbuild_cpu", "VARIANT_BUILD_CPU", "VariantBuild_Cpu"])
def test_variables_like_ours_are_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load(tmp_path, env={name: "v3"})
    assert caught.value.message == f"the environment variable {name} is not read"
    assert caught.value.hint == "it is called VARIANTBUILD_CPU"
    assert load(tmp_path, env={name: ""}).config.cpu == "auto"


@pytest.mark.parametrize(
    "text", ['cpu = { level = "v3" }', 'audit.policy = "warn"', "distro.x = 1"]
)
def test_a_table_for_a_value_is_named(tmp_path: Path, text: str) -> None:
    key = text.split(" ")[0].split(".")[0]
    with pytest.raises(ConfigError, match=f"is a table, and {key} is a setting with one value"):
        load(tmp_path, f"[tool.variantbuild]\n{text}\n")


@pytest.mark.parametrize(
    ("word", "name"),
    [
        ("cpu_level", "cpu"),
        ("cuda_arch", "cuda.architectures"),
        ("cuda.arch", "cuda.architectures"),
        ("audit_excluded", "audit-exclude"),
        ("delegat", "delegate"),
        ("overrride", "overrides"),
        ("x", None),
    ],
)
def test_the_closest_name(word: str, name: str | None) -> None:
    assert closest(word, [each.key for each in settings()]) == name


def test_values_are_shown_as_toml_writes_them(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        load(tmp_path, "[tool.variantbuild]\ncpu = true\naudit = 2020-01-01\n")
    assert "cpu in pyproject.toml is true: expected" in caught.value.message
    assert "audit in pyproject.toml is 2020-01-01: expected" in caught.value.message


def test_a_file_in_another_encoding_is_named(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_bytes("# Größe\n".encode("latin-1"))
    with pytest.raises(ConfigError, match="byte 4 is not UTF-8"):
        load_project(tmp_path, {}, {}, machine_files=())
