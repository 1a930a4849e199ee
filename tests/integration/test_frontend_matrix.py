"""Every route to install a project, with the real tools: what was installed, and which code.

Each route uses one shared cache of the front end on different CPUs in turn (as in a home directory
that machines of two kinds share): v2, then v3, and the route by an index then v2 again.
FRONTEND_MATRIX=full adds older pips to the newest one, every route to those of a quick run, and the
third turn to each. The table is printed at the end.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from frontends import Sources, Table
from wheelhouse import add_bytecode
from workshop import Done, Environment, MakeEnvironment

pytestmark = [pytest.mark.compile, pytest.mark.isolated]

FULL = os.environ.get("FRONTEND_MATRIX") == "full"
#: 22.0.2 is the pip of Ubuntu 22.04, whose tracker has another name than that of 22.1.
PIPS = ("22.0.2", "23.0.1", "24.0", "newest") if FULL else ("22.0.2", "newest")
THRICE = ("v2", "v3", "v2")
LEVELS = THRICE if FULL else THRICE[:2]
#: The route that takes all three turns in a quick run too.
BY_INDEX = "name, index over HTTP"


#: Arguments of `pip install`, and the expected output of `pip check` on the tags.
Route = Callable[[Environment, Sources], tuple[str | Path, ...]]


def by_index(*words: str) -> Route:
    def route(environment: Environment, sources: Sources) -> tuple[str | Path, ...]:
        environment.env.pop("PIP_NO_INDEX", None)
        return ("--no-binary", "whatami", "--index-url", sources.index, *words)

    return route


def hashes(environment: Environment, sources: Sources) -> tuple[str | Path, ...]:
    listed = environment.directory / "requirements.txt"
    listed.write_text(f"whatami==1.0 --hash=sha256:{sources.digest}\n", encoding="utf-8")
    words = ("--require-hashes", "--no-binary", "whatami", "-r", listed)
    return (*words, "--find-links", sources.sdist.parent)


def constraints(environment: Environment, sources: Sources) -> tuple[str | Path, ...]:
    listed = environment.directory / "constraints.txt"
    listed.write_text("whatami<2\n", encoding="utf-8")
    return ("-c", listed, "--no-binary", "whatami", "--find-links", sources.sdist.parent, "whatami")


def links(*words: str) -> Route:
    return lambda _, s: ("--no-binary", "whatami", "--find-links", s.sdist.parent, *words)


#: Route, whether a local version is expected, whether it belongs to the quick run.
ROUTES: dict[str, tuple[Route, bool, bool]] = {
    BY_INDEX: (by_index("whatami"), False, True),
    "name==, index over HTTP": (by_index("whatami==1.0"), False, False),
    "name, find-links": (links("whatami"), False, False),
    "an extra": (links("whatami[extra]"), False, False),
    "as a dependency": (lambda e, s: (*links()(e, s), s.app), False, True),
    "--require-hashes": (hashes, False, True),
    "constraints": (constraints, False, False),
    "an sdist's path": (lambda _, s: (s.sdist,), False, False),
    "a source tree": (lambda _, s: (s.tree,), True, False),
    # pip before 24.1 rejects `name @ git+file:///…`.
    "version control": (lambda _, s: (f"git+file://{s.repository}",), True, True),
    "a direct reference": (
        lambda _, s: (f"whatami @ {s.index}whatami/{s.sdist.name}",),
        False,
        False,
    ),
    "--no-build-isolation": (
        lambda e, s: ("--no-build-isolation", *links("whatami")(e, s)),
        False,
        False,
    ),
}
QUICK = [name for name, (_, _, quick) in ROUTES.items() if quick or FULL]


@pytest.fixture(scope="module")
def pips(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The older pips, downloaded."""
    directory = tmp_path_factory.mktemp("pips")
    command = [sys.executable, "-m", "pip", "-q", "download", "--no-deps", "-d", str(directory)]
    for version in PIPS[:-1]:
        subprocess.run([*command, f"pip=={version}"], check=True)
    for wheel in directory.iterdir():
        add_bytecode(wheel)
    return directory


@pytest.mark.parametrize(
    ("name", "version"),
    [
        (name, version)
        for name in QUICK
        for version in PIPS
        if FULL or version == "newest" or name == BY_INDEX
    ],
)
def test_pip(
    name: str,
    version: str,
    sources: Sources,
    make_environment: MakeEnvironment,
    pips: Path,
    table: Table,
    host_level: str,
) -> None:
    environment = make_environment("venv", "3.11")
    if version != "newest":
        environment.uv_pip("install", "-q", "--find-links", pips, f"pip=={version}").ok()
    if name == "--no-build-isolation":
        environment.uv_pip("install", "-q", "variantbuild", "setuptools").ok()
    route, local, _ = ROUTES[name]
    words = route(environment, sources)
    seen = []
    for level in THRICE if name == BY_INDEX else LEVELS:
        if level > host_level:
            continue
        environment.pip("install", *words, VARIANTBUILD_CPU=level).ok()
        assert environment.version("whatami") == (f"1.0+{level}" if local else "1.0")
        assert environment.compiled_for("whatami")["level"] == level
        environment.pip("check").ok()
        seen.append(level)
        environment.pip("uninstall", "-q", "-y", "whatami").ok()
    installed = "1.0+LEVEL" if local else "1.0"
    table.rows.append((f"pip {version}", name, installed, ", ".join(seen)))


def test_pip_wheel_and_editable(
    sources: Sources, environment: Environment, table: Table, tmp_path: Path
) -> None:
    for number, level in enumerate(LEVELS):
        out = tmp_path / f"wheels-{number}"
        words = links("whatami")(environment, sources)
        done = environment.pip("wheel", "-v", "-w", out, *words, VARIANTBUILD_CPU=level).ok()
        assert "pip will not install the file that `pip wheel` writes here from a wheelhouse" in (
            " ".join(done.output.split())
        )
        (wheel,) = out.glob("*.whl")
        assert wheel.name.endswith(f"-linux_x86_64_{level}.whl")
    table.rows.append(("pip newest", "pip wheel", "1.0, a specific tag", ", ".join(LEVELS)))
    tree = shutil.copytree(sources.repository, tmp_path / "editable")
    environment.pip("install", "-e", tree, VARIANTBUILD_CPU="v2").ok()
    assert environment.version("whatami") == "1.0"
    assert environment.compiled_for("whatami")["level"] == "v2"
    table.rows.append(("pip newest", "editable", "1.0, never stamped", "v2"))


def uv(environment: Environment, *words: str | Path, cwd: Path, **env: str) -> Done:
    return environment.run(environment.uv, *words, cwd=cwd, **env)


def test_uv_sync_is_stable(
    sources: Sources, environment: Environment, table: Table, tmp_path: Path
) -> None:
    project = shutil.copytree(sources.repository, tmp_path / "app", dirs_exist_ok=True)
    env = {"VARIANTBUILD_CPU": "v2", "UV_PROJECT_ENVIRONMENT": str(environment.directory)}
    uv(environment, "sync", "--no-editable", cwd=project, **env).ok()
    assert environment.compiled_for("whatami")["level"] == "v2"
    assert "Checked" in uv(environment, "sync", "--no-editable", cwd=project, **env).ok().output
    uv(environment, "sync", "--no-editable", "--check", cwd=project, **env).ok()
    uv(environment, "pip", "check", "--python", environment.python, cwd=project).ok()
    table.rows.append(("uv", "sync twice, --check", environment.version("whatami"), "v2"))


def test_uv_by_path_name_and_wheel(
    sources: Sources, environment: Environment, table: Table, tmp_path: Path
) -> None:
    directories = ("--find-links", sources.sdist.parent, "--find-links", environment.wheelhouse)
    by_name = ("--no-binary", "whatami", *directories, "whatami")
    routes: tuple[tuple[str, tuple[str | Path, ...]], ...] = (
        ("path", (sources.tree,)),
        ("name", by_name),
    )
    for route, words in routes:
        setting = ("--config-setting", "variantbuild.cpu=v2")
        environment.uv_pip("install", *setting, *words).ok()
        assert environment.compiled_for("whatami")["level"] == "v2"
        environment.uv_pip("check").ok()
        table.rows.append(("uv", f"pip install, {route}", environment.version("whatami"), "v2"))
        environment.uv_pip("uninstall", "whatami").ok()
    # Through an sdist and without one.
    builds: tuple[tuple[str, tuple[str, ...]], ...] = (
        ("through an sdist", ()),
        ("--wheel", ("--wheel",)),
    )
    for route, options in builds:
        out = tmp_path / route.strip("-").replace(" ", "-")
        tree = shutil.copytree(sources.repository, tmp_path / f"tree-{out.name}")
        uv(
            environment, "build", *options, "-o", out, tree, cwd=tmp_path, VARIANTBUILD_CPU="v2"
        ).ok()
        (wheel,) = out.glob("*.whl")
        environment.uv_pip("install", wheel).ok()
        assert environment.compiled_for("whatami")["level"] == "v2"
        table.rows.append(("uv", f"build, {route}", wheel.name.split("-")[1], "v2"))
        environment.uv_pip("uninstall", "whatami").ok()


def test_uv_run_build(
    sources: Sources, make_environment: MakeEnvironment, table: Table, tmp_path: Path
) -> None:
    environment = make_environment("venv", "3.11", "build")
    out = tmp_path / "out"
    command = ("run", "--no-project", "--python", environment.python, "python", "-m", "build")
    tree = shutil.copytree(sources.repository, tmp_path / "tree")
    uv(environment, *command, "-o", out, tree, cwd=tmp_path, VARIANTBUILD_CPU="v2").ok()
    (wheel,) = out.glob("*.whl")
    assert wheel.name.split("-")[1] == "1.0+v2"
    environment.pip("install", wheel).ok()
    environment.pip("check").ok()
    assert environment.compiled_for("whatami")["level"] == "v2"
    table.rows.append(("build", "uv run python -m build", "1.0+v2", "v2"))
