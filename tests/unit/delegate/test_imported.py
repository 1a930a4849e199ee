"""The import of a wrapped backend: from the tree, and what is reported if it fails."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Sequence
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path
from types import ModuleType

import pytest

from reporters import RecordingReporter
from variantbuild.config.delegatespec import DelegateSpec
from variantbuild.delegate.backend import load_delegate
from variantbuild.delegate.imported import TreeFinder, import_backend
from variantbuild.errors import DelegateError, UnavailableDelegateError

_HOOK = "def build_wheel(*args): return {!r}\n"


@pytest.fixture(autouse=True)
def restored_imports(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Forget what a test imports from its directory."""
    monkeypatch.setattr(sys, "path", [*sys.path])
    monkeypatch.setattr(sys, "meta_path", [*sys.meta_path])
    before = set(sys.modules)
    yield
    for name in set(sys.modules) - before:
        if name.startswith("vb_"):
            del sys.modules[name]


def write(directory: Path, name: str, text: str) -> Path:
    path = directory / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return directory


def spec(backend: str, *path: Path) -> DelegateSpec:
    return DelegateSpec(backend=backend, path=path, origin="here")


class Elsewhere:
    """A finder as an editable installation adds it: before `sys.path`."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        return None if "." in name else PathFinder.find_spec(name, [str(self._directory)], target)


@pytest.mark.parametrize("name", ["vb_shadowed.py", "vb_shadowed/__init__.py"])
def test_a_backend_in_the_tree_is_taken_from_there(name: str, tmp_path: Path) -> None:
    other = write(tmp_path / "other", name, _HOOK.format("other"))
    tree = write(tmp_path / "tree", name, _HOOK.format("tree"))
    sys.meta_path.insert(0, Elsewhere(other))
    delegate = load_delegate(
        spec("vb_shadowed", tree), env=os.environ, reporter=RecordingReporter()
    )
    assert delegate.call("build_wheel") == "tree"


def test_helpers_of_a_backend_are_taken_from_the_tree(tmp_path: Path) -> None:
    other = write(tmp_path / "other", "vb_helper.py", "NAME = 'other'\n")
    tree = write(tmp_path / "tree", "vb_helper.py", "NAME = 'tree'\n")
    write(tree, "vb_helped.py", "from vb_helper import NAME\n")
    sys.meta_path.insert(0, Elsewhere(other))
    assert vars(import_backend(spec("vb_helped", tree)))["NAME"] == "tree"


def test_only_the_directories_of_the_last_backend_are_searched_first(tmp_path: Path) -> None:
    for name in ("one", "two"):
        write(tmp_path / name, f"vb_{name}.py", "")
        import_backend(spec(f"vb_{name}", tmp_path / name))
        assert sum(isinstance(each, TreeFinder) for each in sys.meta_path) == 1
    import_backend(spec("json"))
    assert not any(isinstance(each, TreeFinder) for each in sys.meta_path)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("import vb_not_there\n", r"cannot be imported: No module named 'vb_not_there' \(.*line 1"),
        ("\nfrom json import nothing\n", r"cannot import name 'nothing'.*vb_broken\.py, line 2\)"),
        ("from .. import x\n", r"attempted relative import.*vb_broken\.py, line 1\)"),
        ("raise ImportError('needs glibc 3')\n", r"needs glibc 3 \(.*vb_broken\.py, line 1\)"),
    ],
)
def test_a_backend_whose_imports_fail_is_unavailable(
    text: str, message: str, tmp_path: Path
) -> None:
    """Front ends report every ImportError of a backend as BackendUnavailable."""
    tree = write(tmp_path, "vb_broken.py", text)
    with pytest.raises(UnavailableDelegateError, match=message):
        import_backend(spec("vb_broken", tree))


@pytest.mark.parametrize("name", ["vb_nowhere", "vb_nowhere.inner", "json.vb_nowhere"])
def test_a_missing_backend(name: str) -> None:
    with pytest.raises(UnavailableDelegateError, match="is not installed: no module '[a-z_.]*vb_"):
        import_backend(spec(name))


def test_other_errors_of_a_backend_are_its_own(tmp_path: Path) -> None:
    tree = write(tmp_path, "vb_wrong.py", "1 / 0\n")
    with pytest.raises(ZeroDivisionError):
        import_backend(spec("vb_wrong", tree))


def test_a_backend_with_a_few_hooks_is_one(tmp_path: Path) -> None:
    tree = write(tmp_path, "vb_few.py", "def get_requires_for_build_sdist(_=None): return ['x']\n")
    delegate = load_delegate(spec("vb_few", tree), env=os.environ, reporter=RecordingReporter())
    assert delegate.call("get_requires_for_build_sdist") == ["x"]
    with pytest.raises(DelegateError, match="has no build_wheel hook"):
        delegate.call("build_wheel")
