"""The hooks as a front end calls them: in a separate process, in the source tree."""

from __future__ import annotations

import json
import os
import shutil
import stat
import tarfile
import textwrap
import zipfile
from pathlib import Path

import pytest

from variantbuild.binary.elf import parse_elf
from workshop import Done, Environment

pytestmark = pytest.mark.compile


@pytest.fixture(scope="module")
def hook_environment(
    tmp_path_factory: pytest.TempPathFactory, wheelhouse: Path, uv_program: Path
) -> Environment:
    """An environment with variantbuild and its delegates, for hooks without isolation."""
    from workshop import clean_environment, run

    directory = tmp_path_factory.mktemp("hooks")
    env = clean_environment(directory / "home", wheelhouse)
    run(uv_program, "venv", "-q", directory / "venv", cwd=directory, env=env).ok()
    environment = Environment(directory / "venv", wheelhouse, uv_program, env)
    environment.uv_pip("install", "variantbuild", "setuptools", "meson-python", "ninja").ok()
    return environment


class Tree:
    """A project and the hooks to call in it."""

    def __init__(self, directory: Path, environment: Environment) -> None:
        self.directory = directory
        self.environment = environment
        self.out = directory.parent / "out"
        self.out.mkdir()

    def call(self, expression: str, **env: str) -> Done:
        code = f"import sys, variantbuild as v; print(); print('=', {expression})"
        return self.environment.run(self.environment.python, "-c", code, cwd=self.directory, **env)

    def build(self, settings: dict[str, object] | None = None, **env: str) -> Done:
        return self.call(f"v.build_wheel({str(self.out)!r}, {settings!r})", **env)

    def refused(self, done: Done, *words: str) -> None:
        """Check for one sentence, exit code 2, no traceback, and an empty output directory."""
        assert done.code == 2, done.output
        assert "Traceback" not in done.output
        (line,) = [text for text in done.stderr.splitlines() if "variantbuild: error:" in text]
        for word in words:
            assert word in done.stderr, done.stderr
        assert line
        assert list(self.out.iterdir()) == []

    def edit(self, name: str, before: str, after: str) -> None:
        path = self.directory / name
        text = path.read_text(encoding="utf-8")
        assert before in text
        path.write_text(text.replace(before, after), encoding="utf-8")


@pytest.fixture
def tree(setuptools_c: Path, hook_environment: Environment) -> Tree:
    return Tree(setuptools_c, hook_environment)


def script(directory: Path, name: str, text: str) -> Path:
    directory.mkdir(exist_ok=True)
    path = directory / name
    path.write_text("#!/bin/sh\n" + textwrap.dedent(text), encoding="utf-8")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return path


def assert_prepared(wheel: Path, dist_info: Path) -> None:
    """Check that the wheel contains the metadata that was prepared, byte for byte."""
    with zipfile.ZipFile(wheel) as archive:
        for path in dist_info.rglob("*"):
            if path.is_file() and path.name != "variantbuild.json":
                inside = f"{dist_info.name}/{path.relative_to(dist_info)}"
                assert archive.read(inside) == path.read_bytes()


def test_prepare_and_build_agree_when_the_version_is_plain(tree: Tree, tmp_path: Path) -> None:
    (tree.directory / "LICENSE").write_text("Do as you like.\n", encoding="utf-8")
    tree.edit("pyproject.toml", "[project]", '[project.scripts]\nask = "whatami:dot"\n\n[project]')
    meta = tmp_path / "meta"
    meta.mkdir()
    prepared = tree.call(f"v.prepare_metadata_for_build_wheel({str(meta)!r})").ok()
    assert "whatami-1.0.dist-info" in prepared.stdout
    dist_info = meta / "whatami-1.0.dist-info"
    assert not (dist_info / "WHEEL").exists()
    assert not (dist_info / "RECORD").exists()
    assert (dist_info / "entry_points.txt").is_file()
    assert list(dist_info.rglob("LICENSE"))
    tree.call(f"v.build_wheel({str(tree.out)!r}, None, {str(dist_info)!r})", VARIANTBUILD_CPU="v3")
    (wheel,) = tree.out.iterdir()
    assert_prepared(wheel, dist_info)


def test_prepare_builds_once_when_the_version_is_local(tree: Tree, tmp_path: Path) -> None:
    meta = tmp_path / "meta"
    meta.mkdir()
    env = {"VARIANTBUILD_CPU": "v3", "VARIANTBUILD_LOCAL_VERSION": "always"}
    prepared = tree.call(f"v.prepare_metadata_for_build_wheel({str(meta)!r})", **env).ok()
    assert "building 'whatami' extension" in prepared.output
    dist_info = meta / "whatami-1.0+v3.dist-info"
    build = f"v.build_wheel({str(tree.out)!r}, None, {str(dist_info)!r})"
    done = tree.call(build, **env).ok()
    assert "building 'whatami' extension" not in done.output
    (wheel,) = tree.out.iterdir()
    assert_prepared(wheel, dist_info)
    # Other flags in between: the wheel that prepare built no longer fits.
    wheel.unlink()
    done = tree.call(build, **{**env, "VARIANTBUILD_CPU": "v2"}).ok()
    assert "building 'whatami' extension" in done.output
    assert [path.name.split("-")[1] for path in tree.out.iterdir()] == ["1.0+v2"]


def test_a_tampered_wheel_of_prepare_is_not_picked_up(tree: Tree, tmp_path: Path) -> None:
    meta = tmp_path / "meta"
    meta.mkdir()
    env = {"VARIANTBUILD_CPU": "v3", "VARIANTBUILD_LOCAL_VERSION": "always"}
    tree.call(f"v.prepare_metadata_for_build_wheel({str(meta)!r})", **env).ok()
    (wheel,) = (meta / ".variantbuild").glob("*.whl")
    wheel.write_bytes(b"not this one")
    dist_info = meta / "whatami-1.0+v3.dist-info"
    tree.call(f"v.build_wheel({str(tree.out)!r}, None, {str(dist_info)!r})", **env).ok()
    (built,) = tree.out.iterdir()
    assert zipfile.is_zipfile(built)


def test_same_input_same_bytes(tree: Tree) -> None:
    env = {"SOURCE_DATE_EPOCH": "1700000000", "VARIANTBUILD_CPU": "v3"}
    contents = []
    for umask in ("022", "077"):
        code = f"import os, variantbuild as v; os.umask(0o{umask}); "
        code += f"v.build_wheel({str(tree.out)!r})"
        tree.environment.run(
            tree.environment.python, "-c", code, cwd=tree.directory, TZ=f"UTC{umask[0]}", **env
        ).ok()
        (wheel,) = tree.out.iterdir()
        contents.append(wheel.read_bytes())
        wheel.unlink()
        shutil.rmtree(tree.directory / "build")
    assert contents[0] == contents[1]


def test_optional_hooks_are_those_of_the_delegate(
    in_tree_delegate: Path, tmp_path: Path, hook_environment: Environment
) -> None:
    tree = Tree(in_tree_delegate, hook_environment)
    names = (
        "get_requires_for_build_wheel",
        "get_requires_for_build_sdist",
        "get_requires_for_build_editable",
        "prepare_metadata_for_build_wheel",
        "prepare_metadata_for_build_editable",
        "build_editable",
        "build_wheel",
        "build_sdist",
        "no_such_hook",
    )
    done = tree.call(f"[name for name in {names!r} if hasattr(v, name)]").ok()
    assert done.stdout.splitlines()[-1] == (
        "= ['get_requires_for_build_wheel', 'get_requires_for_build_sdist', "
        "'build_wheel', 'build_sdist']"
    )


def test_requirements_of_the_delegate_are_passed_on(
    meson_c: Path, tmp_path: Path, hook_environment: Environment
) -> None:
    tree = Tree(meson_c, hook_environment)
    asked = tree.call("v.get_requires_for_build_wheel({'setup-args': ['-Dx=1'], 'y': None})").ok()
    own = tree.call("__import__('mesonpy').get_requires_for_build_wheel({})").ok()
    assert asked.stdout.splitlines()[-1] == own.stdout.splitlines()[-1]


def test_sdist_builds_again_from_itself(tree: Tree, tmp_path: Path) -> None:
    tree.call(f"v.build_sdist({str(tree.out)!r})").ok()
    (sdist,) = tree.out.iterdir()
    assert sdist.name == "whatami-1.0.tar.gz"
    with tarfile.open(sdist) as archive:
        archive.extractall(tmp_path / "unpacked", filter="data")
    second = tmp_path / "second"
    second.mkdir()
    inner = Tree(tmp_path / "unpacked" / "whatami-1.0", tree.environment)
    inner.call(f"v.build_sdist({str(second)!r})").ok()
    with tarfile.open(sdist) as one, tarfile.open(next(second.iterdir())) as two:
        assert sorted(one.getnames()) == sorted(two.getnames())
    inner.build({"variantbuild.cpu": "v2"}).ok()


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"variantbuild.cpu": "zen44"}, ("cpu 'zen44'", "config-setting", "did you mean 'zen4'")),
        ({"variantbuild.cpu": "neoverse_v2"}, ("a CPU of aarch64", "the wheel is for x86_64")),
        ({"variantbuild.target": "v3.v2"}, ("target 'v3.v2'", "two CPUs")),
        ({"variantbuild.cpy": "v3"}, ("variantbuild.cpy is not a setting", "'cpu'")),
        ({"variantbuild.cpu": ["v2", "v3"]}, ("is given 2 times (v2 and v3)",)),
        ({"variantbuild.overrides": "x"}, ("only pyproject.toml and settings files",)),
        ({"variantbuild.delegate": "no_such_backend"}, ("not installed", "requires")),
        ({"variantbuild.delegate": "json"}, ("no build_wheel hook",)),
    ],
)
def test_bad_settings(tree: Tree, settings: dict[str, object], words: tuple[str, ...]) -> None:
    tree.refused(tree.build(settings), *words)


def test_no_compiler(tree: Tree, tmp_path: Path) -> None:
    done = tree.build({"variantbuild.cpu": "v3"}, PATH=str(tmp_path), CC="", CXX="")
    tree.refused(done, "no usable compiler", "'v3'", "apt install build-essential")


def test_cc_names_nothing(tree: Tree) -> None:
    done = tree.build({"variantbuild.cpu": "v3"}, CC="no-such-cc", CXX="no-such-cxx")
    tree.refused(done, "no-such-cc", "CC")


def test_a_compiler_that_refuses_the_flag(tree: Tree, tmp_path: Path) -> None:
    stubborn = script(
        tmp_path / "bin",
        "gcc",
        """
        for word in "$@"; do
            case "$word" in -march=*) echo "unknown switch $word" >&2; exit 1;; esac
        done
        exec /usr/bin/gcc "$@"
        """,
    )
    done = tree.build({"variantbuild.cpu": "v3"}, CC=str(stubborn), CXX=str(stubborn))
    tree.refused(done, str(stubborn), "-march=x86-64-v3")


def test_malformed_pyproject(tree: Tree) -> None:
    tree.edit("pyproject.toml", "[project]", "[project")
    tree.refused(tree.build(), "pyproject.toml is not valid TOML", "line")


def test_output_directory_that_cannot_be_made(tree: Tree) -> None:
    done = tree.call("v.build_wheel('/dev/null/out')")
    tree.refused(done, "output directory /dev/null/out cannot be created: Not a directory")


def test_read_only_output_directory(tree: Tree, tmp_path: Path) -> None:
    if os.geteuid() == 0:
        directory = Path("/sys/kernel")  # root may write everywhere
    else:
        directory = tmp_path / "locked"
        directory.mkdir(mode=0o555)
    tree.refused(
        tree.call(f"v.build_wheel({str(directory)!r})"), str(directory), "cannot be written to"
    )


def test_a_delegate_without_the_hook(in_tree_delegate: Path, hook_environment: Environment) -> None:
    tree = Tree(in_tree_delegate, hook_environment)
    code = f"__import__('variantbuild.hooks').hooks._HOOKS['build_editable']({str(tree.out)!r})"
    tree.refused(tree.call(code), "'own_backend:backend'", "has no build_editable hook")


def test_a_delegate_that_exits_without_failing(
    in_tree_delegate: Path, hook_environment: Environment
) -> None:
    tree = Tree(in_tree_delegate, hook_environment)
    tree.edit("tools/own_backend.py", 'print("own backend at work")', "import sys; sys.exit(0)")
    tree.refused(tree.build(), "stopped in build_wheel", "status 0")


def test_flags_that_do_not_arrive_are_refused(tree: Tree) -> None:
    """A project that overrides the variant gets no stamp: its machine code is different."""
    tree.edit("setup.py", '["whatami.c"]', '["whatami.c"], extra_compile_args=["-march=x86-64"]')
    done = tree.build({"variantbuild.cpu": "v3"})
    assert done.code == 1, done.output
    assert "not stamped as v3" in done.stderr
    assert list(tree.out.iterdir()) == []


@pytest.mark.parametrize(("policy", "words"), [("warn", "`audit` is warn"), ("off", "is off")])
def test_without_the_gate_nothing_is_stamped(tree: Tree, policy: str, words: str) -> None:
    """A stamp states what was found: with the audit off, the wheel gets no label."""
    tree.edit("setup.py", '["whatami.c"]', '["whatami.c"], extra_compile_args=["-march=x86-64"]')
    done = tree.build({"variantbuild.cpu": "v3", "variantbuild.audit": policy}).ok()
    assert words in done.stderr
    (wheel,) = tree.out.iterdir()
    assert "v3" not in wheel.name
    assert wheel.name.endswith("-linux_x86_64.whl")


def test_downgrade_stamps_what_was_found(tree: Tree) -> None:
    tree.edit("setup.py", '["whatami.c"]', '["whatami.c"], extra_compile_args=["-march=x86-64"]')
    done = tree.build({"variantbuild.cpu": "v3", "variantbuild.audit": "downgrade"}).ok()
    assert "instead of v3" in done.stderr
    (wheel,) = tree.out.iterdir()
    assert "v3" not in wheel.name


def test_unprotected_is_said_and_kept_out_of_the_file_name(tree: Tree) -> None:
    """No loader checks what a CPU has beyond its level: pip gets a name that it will not reuse."""
    tracker = tree.directory.parent / "tracker"
    tracker.mkdir()
    (tracker / "entry").write_text(tree.directory.as_uri(), encoding="utf-8")
    env = {"PIP_BUILD_TRACKER": str(tracker)}
    done = tree.build({"variantbuild.cpu": "cascadelake"}, **env).ok()
    assert "not protected" in done.stderr
    (wheel,) = tree.out.iterdir()
    assert wheel.name.startswith("whatami-1.0+cascadelake-")
    assert wheel.name.endswith("-linux_x86_64_cascadelake.whl")
    with zipfile.ZipFile(wheel) as archive:
        text = archive.read("whatami-1.0+cascadelake.dist-info/WHEEL").decode()
    assert text.count("\nTag: ") == 2
    wheel.unlink()
    done = tree.build({"variantbuild.cpu": "haswell"}, **env).ok()
    assert "not protected" not in done.stderr
    (wheel,) = tree.out.iterdir()
    assert wheel.name.endswith("-linux_x86_64.linux_x86_64_haswell.whl")
    wheel.unlink()
    tree.build({"variantbuild.cpu": "v3", "variantbuild.isa-guard": "false"}, **env).ok()
    (wheel,) = tree.out.iterdir()
    assert wheel.name.endswith("-linux_x86_64_v3.whl")


def test_a_project_that_needs_more_than_the_stamp_is_refused(tree: Tree) -> None:
    tree.edit("setup.py", '["whatami.c"]', '["whatami.c"], extra_compile_args=["-march=x86-64-v4"]')
    done = tree.build({"variantbuild.cpu": "v2"})
    assert done.code == 1, done.output
    assert "v4" in done.stderr
    assert "whatami" in done.stderr
    assert list(tree.out.iterdir()) == []


def test_conflicting_flags_of_the_user_are_named(tree: Tree) -> None:
    done = tree.build({"variantbuild.cpu": "v3"}, CFLAGS="-march=native")
    assert "-march=native" in done.stderr
    assert "CFLAGS" in done.stderr


def test_v4_raises_import_error_on_a_lesser_machine(tree: Tree, host_level: str) -> None:
    """The ISA note makes the loader reject a module that would crash with SIGILL."""
    import shutil

    tree.build({"variantbuild.cpu": "v4"}).ok()
    (wheel,) = tree.out.iterdir()
    assert "linux_x86_64_v4" in wheel.name
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tree.out / "installed")
    lesser: list[str] = []
    if host_level == "v4":
        emulator = shutil.which("qemu-x86_64")
        if emulator is None:
            pytest.skip("this machine has AVX-512 and no qemu-x86_64 to stand in for a lesser one")
        lesser = [emulator, "-cpu", "Haswell"]
    python = os.path.realpath(tree.environment.python)
    code = "import whatami"
    done = tree.environment.run(
        *lesser, python, "-c", code, cwd=tree.out / "installed", PYTHONPATH="."
    )
    assert done.code == 1, done.output
    assert "ImportError" in done.stderr
    assert "CPU ISA level is lower than required" in done.stderr


def test_plan_command(tree: Tree) -> None:
    python = tree.environment.python
    done = tree.environment.run(
        python, "-m", "variantbuild", "plan", ".", "--target", "v3", "--json", cwd=tree.directory
    ).ok()
    plan = json.loads(done.stdout)
    assert plan["version"] == 1
    assert plan["variant"]["label"] == "v3"
    assert "-march=x86-64-v3" in plan["flags"]["c"]
    versions = {row["front_end"]: row["version"] for row in plan["names"]}
    assert versions["pip, an sdist or by name"] == "1.0"
    assert versions["pip, a source tree"] == "1.0+v3"
    people = tree.environment.run(python, "-m", "variantbuild", "plan", cwd=tree.directory).ok()
    assert "\x1b[" not in people.stdout


def test_meson_options_of_the_project_do_not_throw_the_flags_away(
    meson_c: Path, tmp_path: Path, hook_environment: Environment
) -> None:
    tree = Tree(meson_c, hook_environment)
    file = tree.directory / "meson.build"
    text = file.read_text(encoding="utf-8")
    assert "'buildtype=release'" in text
    options = "'buildtype=release', 'c_args=-DOWN_OPTION'"
    file.write_text(text.replace("'buildtype=release'", options), encoding="utf-8")
    places = (str(hook_environment.python.parent), hook_environment.env["PATH"])
    tree.build({"variantbuild.cpu": "v3"}, PATH=os.pathsep.join(places)).ok()
    (wheel,) = tree.out.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        (module,) = [name for name in archive.namelist() if name.endswith(".so")]
        lines = parse_elf(archive.read(module)).command_lines
    assert lines
    assert all("-march=x86-64-v3" in line.split() for line in lines)


def test_flags_that_reach_the_link_alone_are_no_evidence(tree: Tree) -> None:
    script = tree.directory / "setup.py"
    text = script.read_text(encoding="utf-8")
    # An absolute path and no COMPILER_PATH, so that no wrapper adds the flags either.
    lines = (
        "import os\n"
        f"os.environ.update(CFLAGS='-O1', CC={shutil.which('gcc')!r})\n"
        "os.environ['LDFLAGS'] = '-Wl,-z,x86-64-v3'\n"
        "os.environ.pop('COMPILER_PATH')\n"
    )
    script.write_text(lines + text, encoding="utf-8")
    done = tree.build({"variantbuild.cpu": "v3"})
    assert done.code == 1
    assert (
        "no flags are recorded, and the ISA note only shows the options of the linker"
        in done.stderr
    )
    assert not list(tree.out.iterdir())
