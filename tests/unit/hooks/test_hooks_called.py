"""The hooks of PEP 517 and PEP 660, called in this process over a backend without a compiler."""

from __future__ import annotations

import os
import platform
import sys
import types
import zipfile
from pathlib import Path
from typing import Protocol, cast

import pytest

import variantbuild
from canned import BACKEND, EDITABLE, PREPARE, Tree, enter, header, module
from faketools import write_program
from variantbuild import hooks
from variantbuild.frontend.situation import FRONTEND_VARIABLE
from variantbuild.hooks.prepared import RECORD_FILE, WHEEL_DIRECTORY

pytestmark = [
    pytest.mark.usefixtures("fake_compilers"),
    pytest.mark.skipif(
        sys.platform != "linux" or platform.machine() != "x86_64",
        reason="the plan is for Linux on x86-64",
    ),
]

V3 = {"variantbuild.cpu": "v3"}
NEVER = {**V3, "variantbuild.local-version": "never"}
STAMPED = "demo-1.0+v3-py3-none-linux_x86_64.linux_x86_64_v3.whl"
PLAIN = "demo-1.0-py3-none-linux_x86_64.whl"


class Hook(Protocol):
    """A hook as front ends call it, its arguments by position."""

    __name__: str

    def __call__(self, *arguments: object) -> object: ...


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Tree:
    """A source tree in which hooks run, its backend handing out a wheel for v3."""
    made = Tree(tmp_path / "tree")
    enter(made, monkeypatch, tmp_path / "home")
    return made


@pytest.fixture
def meta(tmp_path: Path) -> Path:
    """The directory that a front end passes to a prepare hook."""
    directory = tmp_path / "meta"
    directory.mkdir()
    return directory


def hook(name: str) -> Hook:
    """Return a hook as front ends access it."""
    found = getattr(variantbuild, name)
    assert callable(found)
    return cast("Hook", found)


def prepare(directory: Path, settings: dict[str, str]) -> Path:
    return directory / str(hook("prepare_metadata_for_build_wheel")(str(directory), settings))


def track(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, requirement: str) -> None:
    """Leave the traces that pip leaves while it prepares `requirement`."""
    tracker = tmp_path / "tracker"
    tracker.mkdir()
    (tracker / "entry").write_text(requirement, encoding="utf-8")
    monkeypatch.delenv(FRONTEND_VARIABLE)
    monkeypatch.setenv("PIP_BUILD_TRACKER", str(tracker))


def test_build_wheel_stamps_what_was_found(tree: Tree) -> None:
    assert hook("build_wheel")(str(tree.out), {**V3, "own": "x"}) == STAMPED
    assert tree.made == [STAMPED]
    assert tree.calls == ["build_wheel"]
    # setuptools 64 and 65 get their build directory by a setting.
    assert {**tree.settings, "--build-option": []} == {"own": "x", "--build-option": []}
    assert header(tree.out / STAMPED, "METADATA", "Version") == ["1.0+v3"]


def test_what_prepare_built_is_picked_up(tree: Tree, meta: Path) -> None:
    dist_info = prepare(meta, V3)
    assert dist_info.name == "demo-1.0+v3.dist-info"
    assert (dist_info / "RECORD").is_file()
    assert sorted(path.name for path in meta.iterdir()) == [WHEEL_DIRECTORY, dist_info.name]
    assert hook("build_wheel")(str(tree.out), V3, str(dist_info)) == STAMPED
    assert tree.calls == ["build_wheel"]
    assert tree.made == [STAMPED]
    with zipfile.ZipFile(tree.out / STAMPED) as archive:
        for path in dist_info.rglob("*"):
            if path.is_file() and path.name != RECORD_FILE:
                assert archive.read(str(path.relative_to(meta))) == path.read_bytes()


def test_what_prepare_built_is_picked_up_whatever_says_the_same(
    tree: Tree, meta: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VARIANTBUILD_CPU", "v3")
    dist_info = prepare(meta, {})
    monkeypatch.delenv("VARIANTBUILD_CPU")
    assert hook("build_wheel")(str(tree.out), V3, str(dist_info)) == STAMPED
    assert tree.calls == ["build_wheel"]


@pytest.mark.parametrize("change", ["settings", "bytes", "gone", "record", "no record"])
def test_what_prepare_built_is_left_where_something_changed(
    change: str, tree: Tree, meta: Path
) -> None:
    dist_info = prepare(meta, V3)
    settings = dict(V3)
    (wheel,) = (meta / WHEEL_DIRECTORY).iterdir()
    if change == "settings":
        settings["variantbuild.flags.c"] = "-O1"
    elif change == "bytes":
        wheel.write_bytes(wheel.read_bytes() + b"more")
    elif change == "gone":
        wheel.unlink()
    elif change == "record":
        (dist_info / RECORD_FILE).write_text('{"version": 1}', encoding="utf-8")
    else:
        (dist_info / RECORD_FILE).unlink()
    assert hook("build_wheel")(str(tree.out), settings, str(dist_info)) == STAMPED
    assert tree.calls == ["build_wheel", "build_wheel"]


def test_prepare_may_run_again_in_the_same_directory(tree: Tree, meta: Path) -> None:
    assert prepare(meta, V3) == prepare(meta, V3)


def test_prepare_of_a_plain_version_asks_the_delegate(tree: Tree, meta: Path) -> None:
    dist_info = prepare(meta, NEVER)
    assert dist_info.name == "demo-1.0.dist-info"
    assert sorted(path.name for path in dist_info.iterdir()) == ["METADATA", RECORD_FILE]
    assert tree.calls == ["prepare_metadata_for_build_wheel"]
    built = hook("build_wheel")(str(tree.out), NEVER, str(dist_info))
    assert built == "demo-1.0-py3-none-linux_x86_64.linux_x86_64_v3.whl"


def test_prepare_of_the_baseline_builds_nothing(tree: Tree, meta: Path) -> None:
    settings = {"variantbuild.cpu": "none", "variantbuild.local-version": "always"}
    assert prepare(meta, settings).name == "demo-1.0.dist-info"
    assert tree.calls == ["prepare_metadata_for_build_wheel"]


class Compiler:
    """A compiler that writes its command lines to a file, in front of the one of the tests."""

    def __init__(self, directory: Path, program: Path) -> None:
        self.path = directory / "own-gcc"
        self._calls = directory / "calls.txt"
        write_program(self.path, f'echo "$*" >> "{self._calls}"\nexec "{program}" "$@"')

    @property
    def trials(self) -> int:
        """How many trial compilations have run."""
        return self._calls.read_text(encoding="utf-8").count("-o probe_")


@pytest.fixture
def compiler(
    tmp_path: Path, fake_compilers: Path, monkeypatch: pytest.MonkeyPatch, tree: Tree
) -> Compiler:
    made = Compiler(tmp_path, fake_compilers / "gcc")
    monkeypatch.setenv("CC", str(made.path))
    return made


def test_build_does_not_repeat_the_trial_of_prepare(
    tree: Tree, meta: Path, compiler: Compiler, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PIP_BUILD_TRACKER", "a directory that is gone later")
    dist_info = prepare(meta, NEVER)
    assert compiler.trials == 1
    monkeypatch.delenv("PIP_BUILD_TRACKER")
    hook("build_wheel")(str(tree.out), NEVER, str(dist_info))
    assert compiler.trials == 1


@pytest.mark.parametrize("change", ["variable", "environment", "compiler", "setting", "record"])
def test_build_repeats_the_trial_where_something_changed(
    change: str, tree: Tree, meta: Path, compiler: Compiler, monkeypatch: pytest.MonkeyPatch
) -> None:
    dist_info = prepare(meta, NEVER)
    settings = dict(NEVER)
    match change:
        case "variable":
            monkeypatch.setenv("CFLAGS", "-O1")
        case "environment":
            monkeypatch.setenv("GCC_EXEC_PREFIX", "/opt/gcc/")
        case "compiler":
            os.utime(compiler.path, ns=(1, 1))
        case "setting":
            settings["variantbuild.flags.c"] = "-funroll-loops"
        case _:
            record = dist_info / RECORD_FILE
            text = record.read_text(encoding="utf-8")
            record.write_text(text.replace('"identity": "', '"identity": "0'), encoding="utf-8")
    hook("build_wheel")(str(tree.out), settings, str(dist_info))
    assert compiler.trials == 2


def test_build_keeps_to_the_situation_that_prepare_saw(
    tree: Tree, meta: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    track(tmp_path, monkeypatch, "demo==1.0 from https://example.org/demo-1.0.tar.gz")
    dist_info = prepare(meta, V3)
    assert dist_info.name == "demo-1.0.dist-info"
    monkeypatch.delenv("PIP_BUILD_TRACKER")
    built = hook("build_wheel")(str(tree.out), V3, str(dist_info))
    assert built == "demo-1.0-py3-none-linux_x86_64_v3.whl"
    assert header(tree.out / str(built), "WHEEL", "Tag") == [
        "py3-none-linux_x86_64",
        "py3-none-linux_x86_64_v3",
    ]


def test_sdist_is_the_delegates(tree: Tree, capfd: pytest.CaptureFixture[str]) -> None:
    assert hook("build_sdist")(str(tree.out), {"own": "x", **V3}) == "demo-1.0.tar.gz"
    assert (tree.out / "demo-1.0.tar.gz").read_bytes() == b"sdist"
    assert tree.settings == {"own": "x"}
    (tree.directory / "sdist-name").write_text("other.tar.gz", encoding="utf-8")
    with pytest.raises(SystemExit) as stop:
        hook("build_sdist")(str(tree.out))
    assert stop.value.code == 2
    assert "returned 'other.tar.gz' from build_sdist, but there is no" in capfd.readouterr().err
    assert tree.made == ["demo-1.0.tar.gz"]


def test_requirements_are_the_delegates_and_the_toolkit(tree: Tree) -> None:
    wheel, sdist = hook("get_requires_for_build_wheel"), hook("get_requires_for_build_sdist")
    assert wheel(V3) == ["wheel-tool"]
    assert wheel({"variantbuild.target": "v3"}) == ["wheel-tool"]
    from_index = {"variantbuild.cuda.toolkit": "pypi", "variantbuild.target": "cu13.v3"}
    asked = wheel(from_index)
    assert isinstance(asked, list)
    assert asked[0] == "wheel-tool"
    assert any(each.startswith("nvidia-cuda-nvcc==13.") for each in asked)
    assert sdist(from_index) == ["sdist-tool"]
    tree.configure('accelerators = ["cuda"]\ncuda.toolkit = "pypi"')
    listed = wheel(V3)
    assert isinstance(listed, list)
    assert any(each.startswith("nvidia-cuda-nvcc==13.") for each in listed)
    assert wheel.__name__ == "get_requires_for_build_wheel"


@pytest.mark.parametrize(
    ("text", "missing"),
    [
        (BACKEND, ["build_editable", "prepare_metadata_for_build_wheel"]),
        (BACKEND + PREPARE, ["build_editable", "prepare_metadata_for_build_editable"]),
        (BACKEND + PREPARE + EDITABLE, ["get_requires_for_build_editable"]),
    ],
)
def test_optional_hooks_are_those_of_the_delegate(
    text: str, missing: list[str], tree: Tree
) -> None:
    tree.backend(text)
    assert [name for name in missing if hasattr(variantbuild, name)] == []
    assert hasattr(variantbuild, "get_requires_for_build_wheel")
    assert hasattr(variantbuild, "build_wheel")
    assert not hasattr(variantbuild, "build_nothing")
    assert hooks.find_hook("build_nothing") is None


def test_hook_that_cannot_be_judged_is_there_to_say_why(
    tree: Tree, capfd: pytest.CaptureFixture[str]
) -> None:
    tree.configure("cpu = 3")
    with pytest.raises(SystemExit) as stop:
        hook("build_editable")(str(tree.out))
    assert stop.value.code == 2
    said = capfd.readouterr()
    assert said.out == ""
    assert said.err == (
        "variantbuild: error: [tool.variantbuild] cpu in pyproject.toml is 3: "
        "expected a non-empty string in quotes\n"
    )


def test_missing_mandatory_hook_reports_that(tree: Tree, capfd: pytest.CaptureFixture[str]) -> None:
    tree.backend("def build_wheel(*words):\n    return ''\n")
    with pytest.raises(SystemExit):
        hook("build_sdist")(str(tree.out))
    assert "has no build_sdist hook" in capfd.readouterr().err


def test_refused_wheel_ends_with_the_code_of_its_error(
    tree: Tree, capfd: pytest.CaptureFixture[str]
) -> None:
    tree.hand_out(module("v4"))
    with pytest.raises(SystemExit) as stop:
        hook("build_wheel")(str(tree.out), V3)
    assert stop.value.code == 1
    assert "needs v4" in capfd.readouterr().err
    assert tree.made == []


def test_errors_that_are_not_ours_pass_through(tree: Tree) -> None:
    tree.backend(BACKEND.replace('record("build_wheel"', 'undefined(""'))
    with pytest.raises(NameError):
        hook("build_wheel")(str(tree.out), V3)


def test_editable_is_never_stamped(tree: Tree, meta: Path) -> None:
    assert hook("build_editable")(str(tree.out), V3) == PLAIN
    assert (tree.out / PLAIN).read_bytes() == (tree.directory / "canned" / PLAIN).read_bytes()
    directory = meta / str(hook("prepare_metadata_for_build_editable")(str(meta), V3))
    assert directory.name == "demo-1.0.dist-info"
    assert not (directory / RECORD_FILE).exists()


@pytest.mark.parametrize(
    "name", ["build_wheel", "build_sdist", "build_editable", "prepare_metadata_for_build_wheel"]
)
def test_a_missing_output_directory_is_made(name: str, tree: Tree) -> None:
    directory = tree.out / "new" / "er"
    made = hook(name)(str(directory), V3)
    assert (directory / str(made)).exists()


def test_a_failed_hook_leaves_no_output_directory(tree: Tree) -> None:
    tree.hand_out(module("v4"))
    with pytest.raises(SystemExit):
        hook("build_wheel")(str(tree.out / "new" / "er"), V3)
    assert tree.made == []


@pytest.mark.parametrize(
    ("place", "raised"),
    [
        ("/venv/pyproject_hooks/_in_process/_in_process.py", "BackendUnavailable"),
        ("/venv/pip/_vendor/pyproject_hooks/_in_process/_in_process.py", "SystemExit"),
        (None, "SystemExit"),
    ],
)
@pytest.mark.parametrize("arguments", [("message", "traceback"), ("traceback",)])
def test_a_missing_backend_is_unavailable(
    place: str | None,
    raised: str,
    arguments: tuple[str, ...],
    tree: Tree,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    code = (
        f"class BackendUnavailable(Exception):\n def __init__(self, {', '.join(arguments)}): pass"
    )
    main = types.ModuleType("__main__")
    exec(code, main.__dict__)
    main.__file__ = place
    monkeypatch.setitem(sys.modules, "__main__", main)
    path = tree.directory / "pyproject.toml"
    text = path.read_text(encoding="utf-8").replace("canned_backend", "not_there_at_all")
    path.write_text(text, encoding="utf-8")
    with pytest.raises(BaseException) as caught:
        hook("build_wheel")(str(tree.out))
    assert caught.type.__name__ == raised
    assert "delegate 'not_there_at_all'" in capfd.readouterr().err
