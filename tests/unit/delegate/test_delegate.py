"""Choosing, loading and calling the wrapped backend."""

from __future__ import annotations

import importlib
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

from reporters import RecordingReporter
from variantbuild.config.delegatespec import DelegateSpec, resolve_delegate
from variantbuild.config.project import load_project
from variantbuild.delegate.backend import Delegate, load_delegate, requirements
from variantbuild.errors import DelegateError
from variantbuild.host.ending import clean_ending


def tree(directory: Path, text: str = "", *files: str) -> Path:
    (directory / "pyproject.toml").write_text(text, encoding="utf-8")
    for name in files:
        path = directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    return directory


def spec_of(directory: Path) -> DelegateSpec:
    return resolve_delegate(load_project(directory, None, {}, machine_files=()))


def load(spec: DelegateSpec) -> Delegate:
    return load_delegate(spec, env=os.environ, reporter=RecordingReporter())


@pytest.mark.parametrize(
    ("text", "files", "backend"),
    [
        ("", (), "setuptools.build_meta"),
        ("", ("CMakeLists.txt",), "scikit_build_core.build"),
        ("", ("CMakeLists.txt", "setup.py"), "setuptools.build_meta"),
        ("[tool.scikit-build]\n", ("setup.py",), "scikit_build_core.build"),
        ('[tool.variantbuild]\ndelegate = "mesonpy"\n', ("CMakeLists.txt",), "mesonpy"),
        ('[tool.variantbuild]\ndelegate = "a.b:c.d"\n', (), "a.b:c.d"),
    ],
)
def test_choice(tmp_path: Path, text: str, files: tuple[str, ...], backend: str) -> None:
    assert spec_of(tree(tmp_path, text, *files)).backend == backend


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('delegate = "meson-python"', 'is the name of a distribution.*\n.*"mesonpy"'),
        ('delegate = "setuptools"', 'delegate = "setuptools.build_meta"'),
        ('delegate = "a b"', "is not a valid backend"),
        ('delegate = "variantbuild"', "is variantbuild itself"),
        ('delegate-path = ["../x"]', "is outside the source tree"),
        ('delegate-path = ["nowhere"]', "is not a directory"),
    ],
)
def test_mistakes(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(DelegateError, match=message):
        spec_of(tree(tmp_path, f"[tool.variantbuild]\n{text}\n"))


def test_not_installed(tmp_path: Path) -> None:
    spec = spec_of(tree(tmp_path, '[tool.variantbuild]\ndelegate = "no_such_backend.api"\n'))
    with pytest.raises(DelegateError, match="no module 'no_such_backend'") as caught:
        load(spec)
    assert caught.value.hint is not None
    assert "requires" in caught.value.hint


@pytest.fixture
def in_tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> DelegateSpec:
    """A backend in the source tree, whose hooks do what hooks should not."""
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.delitem(sys.modules, "vb_test_backend", raising=False)
    (tmp_path / "tools").mkdir()
    (tmp_path / "tools" / "vb_test_backend.py").write_text(
        """
import os, sys

class Inner:
    def build_wheel(self, *args):
        return os.environ["VB_TEST"]
    def build_sdist(self, *args):
        sys.exit(0)
    def build_editable(self, *args):
        sys.exit("no can do")
    def get_requires_for_build_wheel(self, *args):
        raise RuntimeError("own words")

inner = Inner()
""",
        encoding="utf-8",
    )
    text = '[tool.variantbuild]\ndelegate = "vb_test_backend:inner"\ndelegate-path = ["tools"]\n'
    return spec_of(tree(tmp_path, text))


def test_calls(in_tree: DelegateSpec) -> None:
    delegate = load(in_tree)
    assert delegate.has("build_wheel")
    assert not delegate.has("prepare_metadata_for_build_wheel")
    assert delegate.call("build_wheel", "x", env={"VB_TEST": "seen"}) == "seen"
    assert "VB_TEST" not in os.environ
    with pytest.raises(DelegateError, match="stopped in build_sdist: it exited with status 0"):
        delegate.call("build_sdist")
    # Its own exit code and text are those of the hook.
    with pytest.raises(SystemExit) as stop:
        delegate.call("build_editable")
    assert stop.value.code == "no can do"
    with pytest.raises(RuntimeError, match="own words"):
        delegate.call("get_requires_for_build_wheel")
    with pytest.raises(DelegateError, match="has no prepare_metadata_for_build_wheel hook"):
        delegate.call("prepare_metadata_for_build_wheel")


@pytest.mark.parametrize("linked", [False, True])
def test_a_backend_in_the_tree_is_imported_again_from_a_copy(
    tmp_path: Path, linked: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    source, copy = tmp_path / "source", tmp_path / "copy"
    for place in (source, copy):
        written = {"tools/vb_moved.py": "import vb_near.part", "tools/vb_near/part.py": ""}
        for name, text in {**written, "tools2/vb_beside.py": ""}.items():
            (place / name).parent.mkdir(parents=True, exist_ok=True)
            (place / name).write_text(f"{text}\ndef build_wheel(*args): return __file__\n", "utf-8")
    home = source
    if linked:
        home = tmp_path / "link"
        home.symlink_to("source")
    monkeypatch.setattr(sys, "path", [str(home / "tools2"), *sys.path])
    importlib.import_module("vb_beside")
    delegate = load(DelegateSpec(backend="vb_moved", path=(home / "tools",), origin="test"))
    assert delegate.call("build_wheel") == str(home / "tools" / "vb_moved.py")

    moved = delegate.moved(source, copy)
    assert moved.call("build_wheel") == str(copy / "tools" / "vb_moved.py")
    places = {name: sys.modules.pop(name) for name in ("vb_near.part", "vb_beside")}
    assert places["vb_near.part"].__file__ == str(copy / "tools" / "vb_near" / "part.py")
    assert places["vb_beside"].__file__ == str(home / "tools2" / "vb_beside.py")
    for name in ("vb_moved", "vb_near"):
        del sys.modules[name]


def test_no_backend_at_all() -> None:
    with pytest.raises(DelegateError, match="no build_wheel hook"):
        load(DelegateSpec(backend="json", path=(), origin="here"))
    with pytest.raises(DelegateError, match="has no object 'nothing'"):
        load(DelegateSpec(backend="json:nothing", path=(), origin="here"))


@pytest.mark.parametrize("value", [None, "ninja", 3])
def test_requirements(value: object) -> None:
    spec = DelegateSpec(backend="json", path=(), origin="here")
    with pytest.raises(DelegateError, match="expected a list"):
        requirements(value, "get_requires_for_build_wheel", spec)
    assert requirements(["ninja"], "get_requires_for_build_wheel", spec) == ["ninja"]


@pytest.fixture
def pretend_setuptools(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Return a function that puts a setuptools of that version in place of the real one."""

    def pretend(version: str) -> None:
        package, backend = ModuleType("setuptools"), ModuleType("setuptools.build_meta")
        vars(package).update(__version__=version, build_meta=backend)
        vars(backend).update(build_wheel=print)
        monkeypatch.setitem(sys.modules, "setuptools", package)
        monkeypatch.setitem(sys.modules, "setuptools.build_meta", backend)

    return pretend


def test_its_backend_for_old_projects_is_setuptools_too(
    tmp_path: Path, pretend_setuptools: Callable[[str], None]
) -> None:
    pretend_setuptools("59.8.0")
    vars(sys.modules["setuptools.build_meta"]).update(__legacy__=ModuleType("legacy"))
    vars(vars(sys.modules["setuptools.build_meta"])["__legacy__"]).update(build_wheel=print)
    text = '[tool.variantbuild]\ndelegate = "setuptools.build_meta:__legacy__"\n'
    with pytest.raises(DelegateError, match=r"setuptools 59\.8\.0 is installed"):
        load(spec_of(tree(tmp_path, text)))


@pytest.mark.parametrize(
    ("version", "refused"), [("59.8.0", True), ("64.0", False), ("63.4.3", True), ("84.2.1", False)]
)
def test_an_old_setuptools_is_refused_where_it_builds(
    tmp_path: Path, pretend_setuptools: Callable[[str], None], version: str, refused: bool
) -> None:
    pretend_setuptools(version)
    spec = spec_of(tree(tmp_path))
    if refused:
        with pytest.raises(DelegateError, match=rf"setuptools {version} is installed.* 64 or"):
            load(spec)
    else:
        load(spec)


def test_another_delegate_may_stand_beside_an_old_setuptools(
    tmp_path: Path, pretend_setuptools: Callable[[str], None]
) -> None:
    pretend_setuptools("59.8.0")
    text = '[tool.variantbuild]\ndelegate = "scikit_build_core.build"\n'
    load(spec_of(tree(tmp_path, text)))


@pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="no /proc")
def test_what_a_backend_starts_is_watched(in_tree: DelegateSpec) -> None:
    """If the build is killed by SIGKILL, compilers are killed as well."""
    delegate = load(in_tree)
    with clean_ending(os.environ):
        mark = os.environ["_VARIANTBUILD_RUN"].split()[-1].encode()
        assert not watches(mark)
        delegate.call("build_wheel", "x", env={"VB_TEST": "seen"})
        deadline = time.monotonic() + 5
        while not watches(mark) and time.monotonic() < deadline:
            time.sleep(0.01)  # a process shows its command line only at the end of exec
        assert watches(mark)
    assert not watches(mark)


def watches(mark: bytes) -> bool:
    return any(mark in words(path) for path in Path("/proc").glob("[0-9]*/cmdline"))


def words(path: Path) -> list[bytes]:
    try:
        return path.read_bytes().split(b"\0")
    except OSError:
        return []
