"""The digest of a plan does not depend on where a setting came from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from hosts import gpus
from hosts.recorded import RecordedHost
from variantbuild.config import settings
from variantbuild.config.delegatespec import DelegateSpec
from variantbuild.config.project import load_project
from variantbuild.frontend.situation import Situation
from variantbuild.plan import BuildPlan, make_plan

V3 = {"cpu": "v3"}

#: Values that change the wheel, beside `cpu = "v3"`; `build-cache` changes nothing.
CHANGES = {
    "cpu": "v2",
    "local-version": "never",
    "platform-tag": "specific",
    "isa-guard": "false",
    "audit": "warn",
    "fp-contract": "off",
    "flags.c": "-O1",
    "flags.cxx": "-O1",
    "flags.fortran": "-O1",
    "flags.link": "-s",
    "delegate-path": "tools",
}


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A source tree with C in it."""
    directory = tmp_path / "tree"
    (directory / "tools").mkdir(parents=True)
    (directory / "m.c").touch()
    (directory / "pyproject.toml").touch()
    return directory


def machine() -> RecordedHost:
    """A recorded machine with a C library that reads the ISA note."""
    strings = {"CS_GNU_LIBC_VERSION": "glibc 2.36"}
    return replace(RecordedHost.load("zen4"), strings=strings)


def gpu_machine() -> RecordedHost:
    """A recorded machine with CUDA and compilers."""
    host = gpus.load("cuda-12.8-h100").with_compiler("/usr/bin/gcc", "gcc-12.2.0")
    host = host.with_compiler("/usr/bin/g++", "gxx-12.2.0")
    return host.with_env(CC="/usr/bin/gcc", CXX="/usr/bin/g++")


def quoted(key: str, value: str) -> str:
    """Return a line of TOML."""
    kind = next(setting.kind for setting in settings() if setting.key == key)
    written = value if kind == "bool" else f'["{value}"]' if kind == "list" else f'"{value}"'
    return f"{key} = {written}\n"


def planned(
    tree: Path,
    given: Mapping[str, str],
    *,
    source: str = "config-settings",
    host: RecordedHost | None = None,
) -> BuildPlan:
    """Plan a build of `tree` with the settings `given`, which come from `source`."""
    lines = "".join(quoted(key, value) for key, value in given.items())
    variables = {setting.key: setting.variable for setting in settings()}
    env: dict[str, str] = {}
    chosen: dict[str, str | list[str]] = {}
    files: tuple[Path, ...] = ()
    (tree / "pyproject.toml").write_text("", encoding="utf-8")
    match source:
        case "config-settings":
            chosen = {f"variantbuild.{key}": value for key, value in given.items()}
        case "environment":
            env = {variables[key]: value for key, value in given.items()}
        case "file":
            files = (tree.parent / "config.toml",)
            files[0].write_text(lines, encoding="utf-8")
        case "pyproject":
            text = f"[tool.variantbuild]\n{lines}"
            (tree / "pyproject.toml").write_text(text, encoding="utf-8")
        case "override":
            text = f'[[tool.variantbuild.overrides]]\nif.platform = "*"\n{lines}'
            (tree / "pyproject.toml").write_text(text, encoding="utf-8")
    project = load_project(tree, chosen, env, machine_files=files)
    spec = DelegateSpec(backend="setuptools.build_meta", path=(), origin=source)
    situation = Situation(kind="build", evidence=source)
    return make_plan(project, spec, host or machine(), situation)


SOURCES = ("config-settings", "environment", "file", "pyproject", "override")


def test_it_does_not_depend_on_where_a_setting_came_from(tree: Path) -> None:
    given = {**V3, **CHANGES, "cpu": "v3", "build-cache": "true"}
    assert len({planned(tree, given, source=source).digest for source in SOURCES}) == 1


def test_device_code_from_everywhere(tree: Path) -> None:
    given = {"target": "cu12.v3", "cuda.architectures": "90"}
    plans = [
        planned(tree, given, source=source, host=gpu_machine())
        for source in SOURCES
        if source != "override"
    ]
    assert all(plan.device is not None for plan in plans)
    assert len({plan.digest for plan in plans}) == 1
    other = planned(tree, {**given, "cuda.architectures": "80"}, host=gpu_machine())
    assert other.digest != plans[0].digest
    assert planned(tree, {**given, "flags.cuda": "-lineinfo"}, host=gpu_machine()).digest not in (
        other.digest,
        plans[0].digest,
    )


def test_every_setting_that_changes_the_wheel_changes_it(tree: Path) -> None:
    plain = planned(tree, V3).digest
    others = {key: planned(tree, {**V3, key: value}).digest for key, value in CHANGES.items()}
    assert len({plain, *others.values()}) == len(others) + 1
    assert planned(tree, {**V3, "build-cache": "true"}).digest == plain
