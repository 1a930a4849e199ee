"""Which front end builds the wheel, and which version and tags it gets."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from hosts.recorded import RecordedHost
from variantbuild.config import Config
from variantbuild.frontend.naming import front_ends, resolve_naming
from variantbuild.frontend.situation import (
    FRONTEND_VARIABLE,
    SituationKind,
    Traces,
    detect_situation,
    read_traces,
)
from variantbuild.tags.forms import TagForm

HERE = Path("/home/user/src")


def read(**env: str) -> Traces:
    """Collect the traces of a machine that shows no parent process."""
    return read_traces(RecordedHost(env=env), HERE, is_sdist=False)


def traces(
    env: Mapping[str, str] | None = None,
    *,
    tracked: tuple[str, ...] | None = None,
    parent: tuple[str, ...] = (),
    is_sdist: bool = False,
) -> Traces:
    return Traces(env=env or {}, source=HERE, is_sdist=is_sdist, tracked=tracked, parent=parent)


@pytest.mark.parametrize(
    ("entry", "is_sdist", "kind"),
    [
        ("file:///home/user/src", False, "pip-tree"),
        ("file:///home/user/src (from app)", False, "pip-tree"),
        ("pkg @ file:///home/user/src from file:///home/user/src", False, "pip-tree"),
        ("file:///home/user/src", True, "pip-sdist"),
        ("file:///home/user/pkg-1.0.tar.gz", True, "pip-sdist"),
        ("pkg==1.0 from https://index/pkg-1.0.tar.gz#sha256=ab (from app)", True, "pip-sdist"),
        ("pkg from file:///links/pkg-1.0.tar.gz", True, "pip-sdist"),
        ("pkg==1.0 from https://index/pkg-1.0.tar.gz", False, "pip-sdist"),
        ("git+https://example.org/pkg.git@main", False, "pip-archive"),
        ("pkg @ git+https://example.org/pkg.git", False, "pip-archive"),
        ("git+file:///home/user/pkg", False, "pip-archive"),
        *(
            (f"file:///home/user/pkg-1.0{ending}", False, "pip-archive")
            for ending in (".tar.gz", ".zip", ".tar.bz2", ".tar.xz", ".tgz", ".ZIP#sha256=ab")
        ),
        ("https://example.org/archive/main.zip#egg=pkg", False, "pip-archive"),
        ("pkg @ https://example.org/main.tar.gz from https://x (from app)", False, "pip-archive"),
    ],
)
def test_pip(entry: str, is_sdist: bool, kind: SituationKind) -> None:
    assert detect_situation(traces(tracked=(entry,), is_sdist=is_sdist)).kind == kind


@pytest.mark.parametrize(
    ("parent", "keeps"),
    [
        (("/usr/bin/python3", "/usr/bin/pip", "wheel", "pkg"), True),
        (("python", "-m", "pip", "--quiet", "wheel", "pkg"), True),
        (("python", "/x/pip/__pip-runner__.py", "-v", "wheel", "-w", "out", "pkg"), True),
        (("python", "-m", "pip", "install", "wheel"), False),
        (("python", "-m", "pip", "download", "pkg"), False),
        ((), False),
    ],
)
def test_pip_wheel_keeps_the_file(parent: tuple[str, ...], keeps: bool) -> None:
    for tracked in (("pkg==1.0 from https://index/pkg-1.0.tar.gz",), ()):
        assert detect_situation(traces(tracked=tracked, parent=parent)).keeps_file == keeps


def test_pip_building_a_build_requirement_sees_the_inner_one(tmp_path: Path) -> None:

    for name, text, when in (("a", "app==2 from https://x/app.tar.gz", 1), ("b", "file:///s", 2)):
        (tmp_path / name).write_text(text)
        os.utime(tmp_path / name, (when, when))
    found = read(PIP_BUILD_TRACKER=str(tmp_path))
    assert found.tracked == ("file:///s", "app==2 from https://x/app.tar.gz")
    assert read().tracked is None


@pytest.mark.parametrize("variable", ["PIP_BUILD_TRACKER", "PIP_REQ_TRACKER"])
def test_the_tracker_of_every_pip(variable: str, tmp_path: Path) -> None:
    (tmp_path / "entry").write_text("pkg==1.0 from https://index/pkg-1.0.tar.gz")
    assert detect_situation(read(**{variable: str(tmp_path)})).kind == "pip-sdist"


@pytest.mark.parametrize("content", ["", " \n", "garbage", "pkg==1.0", "\0\ufffd", "@ @ (from"])
def test_a_tracker_that_says_nothing_gets_what_pip_never_refuses(
    content: str, tmp_path: Path
) -> None:
    (tmp_path / "entry").write_text(content, encoding="utf-8")
    (tmp_path / "directory").mkdir()
    found = read(PIP_BUILD_TRACKER=str(tmp_path))
    assert detect_situation(found).kind == "pip-sdist"


def test_a_tracker_that_is_gone_is_none(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    for path in (tmp_path / "gone", tmp_path / "file", "/proc/self/mem/x", ""):
        assert read(PIP_BUILD_TRACKER=str(path)).tracked is None
    empty = tmp_path / "empty"
    empty.mkdir()
    found = read(PIP_BUILD_TRACKER=str(empty))
    assert detect_situation(found).kind == "pip-sdist"
    # Another front end that pip's build runs is that front end.
    assert detect_situation(replace(found, parent=("python", "-m", "build"))).kind == "build"


@pytest.mark.parametrize(
    ("parent", "kind"),
    [
        (("/venv/bin/python", "-m", "build", "--wheel"), "build"),
        (("/venv/bin/python", "-I", "-m", "build"), "build"),
        (("/venv/bin/python", "/venv/bin/pyproject-build"), "build"),
        (("python", "/venv/lib/site-packages/build/__main__.py"), "build"),
        (("/usr/bin/uv", "build"), "uv"),
        (("/pipx/python", "/root/.local/bin/poetry", "-n", "add", "build"), "poetry"),
        (("/venv/bin/python", "-m", "poetry", "install"), "poetry"),
        (("C:\\Poetry\\Scripts\\poetry.exe", "sync"), "poetry"),
        (("/venv/bin/python", "/venv/bin/poetry"), "poetry"),
        (("python", "/bin/poetry", "-C", "build", "--project", "x", "install"), "poetry"),
        (("python", "/bin/poetry", "-C", "sub", "build", "--clean"), "build"),
        (("python", "/bin/poetry", "publish", "--build"), "build"),
        (("python", "/bin/poetry", "--project", "build", "--directory", "x", "add"), "poetry"),
        (("python", "/bin/poetry", "-P", "build", "-q", "build"), "build"),
        (("python.exe", "C:\\venv\\Lib\\build\\__main__.py"), "build"),
        (("/pipx/python", "/root/.local/bin/pdm", "install"), "pdm"),
        (("python", "-m", "pdm", "-c", "build", "sync"), "pdm"),
        (("python", "/bin/pdm", "-v", "build", "--no-sdist"), "build"),
        (("python", "/bin/pdm", "publish"), "build"),
        (("python", "/venv/bin/tox", "-e", "py"), "build"),
        (("python", "-m", "tox"), "build"),
        (("python", "-c", "pass", "pyproject-build"), "unknown"),
        (("python", "-c", "pass", "/lib/build/__main__.py"), "unknown"),
        (("python", "-m"), "unknown"),
        (("python", "-m", "pip", "install", "poetry"), "unknown"),
        (("python", "-m", "pip", "install", "build"), "unknown"),
        (("/bin/sh", "-c", "build"), "unknown"),
        ((), "unknown"),
    ],
)
def test_parent_process(parent: tuple[str, ...], kind: SituationKind) -> None:
    assert detect_situation(traces(parent=parent)).kind == kind


def test_the_parent_is_read_from_the_machine() -> None:
    host = RecordedHost(files={f"/proc/{os.getppid()}/cmdline": "python\0-m\0build\0"})
    assert detect_situation(read_traces(host, HERE, is_sdist=False)).kind == "build"


def test_uv_run_is_no_proof_of_uv() -> None:
    env = {"UV": "/usr/bin/uv"}
    assert detect_situation(traces(env, parent=("python", "-m", "build"))).kind == "build"
    env = {"UV": "/usr/bin/uv", "UV_INTERNAL__BUILD_DIR": str(HERE)}
    assert detect_situation(traces(env)).kind == "uv"
    env = {"UV_INTERNAL__BUILD_DIR": "/elsewhere"}
    assert detect_situation(traces(env)).kind == "unknown"


def test_a_nested_build_is_detected_by_its_parent() -> None:
    outer = ("app==2 from https://x/app.tar.gz",)
    nested = traces(tracked=outer, parent=("python", "-m", "build"))
    assert detect_situation(nested).kind == "build"
    inside = traces({FRONTEND_VARIABLE: "variantbuild"}, tracked=outer, parent=("python", "-m"))
    assert detect_situation(inside).kind == "pip-sdist"


def test_cibuildwheel_and_own_command() -> None:
    found = detect_situation(traces({"CIBUILDWHEEL": "1"}))
    assert (found.kind, found.cibuildwheel) == ("build", True)
    found = detect_situation(traces({"CIBUILDWHEEL": "1"}, tracked=("file:///home/user/src",)))
    assert (found.kind, found.cibuildwheel) == ("pip-tree", True)
    assert detect_situation(traces({FRONTEND_VARIABLE: "variantbuild"})).kind == "build"
    assert not detect_situation(traces()).cibuildwheel
    assert not detect_situation(traces({"CIBUILDWHEEL": "0"})).cibuildwheel


@pytest.mark.parametrize(
    ("kind", "local", "form", "unprotected"),
    [
        ("pip-tree", True, "set", "hybrid"),
        ("pip-archive", True, "hybrid", "hybrid"),
        ("pip-sdist", False, "hybrid", "hybrid"),
        ("uv", False, "set", "set"),
        ("poetry", False, "hybrid", "hybrid"),
        ("build", True, "set", "set"),
        ("pdm", False, "hybrid", "hybrid"),
        ("unknown", False, "hybrid", "hybrid"),
    ],
)
def test_policy(kind: SituationKind, local: bool, form: TagForm, unprotected: TagForm) -> None:
    naming = resolve_naming(kind, Config(), protected=True)
    assert (naming.local, naming.form) == (local, form)
    assert resolve_naming(kind, Config(), protected=False).form == unprotected


def test_explicit_settings_win_in_every_situation() -> None:
    origins = (("local-version", "here"), ("platform-tag", "there"))
    for kind in front_ends():
        config = Config(local_version="never", platform_tag="specific", origins=origins)
        naming = resolve_naming(kind, config, protected=True)
        assert (naming.local, naming.form) == (False, "specific")
        assert "here says never" in naming.reason
        assert "there says specific" in naming.reason
        naming = resolve_naming(kind, Config(local_version="always"), protected=False)
        assert naming.local
