"""hand_over: what each delegate gets, as values."""

from __future__ import annotations

import configparser
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from variantbuild.delegate.handover import hand_over
from variantbuild.delegate.handover.builddir import name_build
from variantbuild.delegate.handover.delegation import Delegation, Handover, extend
from variantbuild.plan.flags import Flags, IsaNote
from variantbuild.probe.facts import Compiler, CompilerFamily, Language
from variantbuild.types import ConfigSettings, TOMLValue

SOURCE = Path("/src/project")
PRIVATE = Path("/tmp/private directory")
NAME = "variantbuild-v4-0123456789"
INTERPRETER = {
    "CC": "gcc -pthread",
    "CFLAGS": "-O3 -DNDEBUG",
    "LDSHARED": "gcc -pthread -shared",
    "LDCXXSHARED": "g++ -pthread -shared",
}
FLAGS = Flags(
    languages=("c", "cxx", "fortran"),
    c=("-march=x86-64-v4",),
    cxx=("-march=x86-64-v4", "-DCXX"),
    fortran=("-march=x86-64-v4",),
    isa_note=IsaNote(level="v4"),
)


def compilers(family: CompilerFamily = "gcc") -> dict[Language, Compiler]:
    languages: tuple[Language, ...] = ("c", "cxx", "fortran")
    return {
        language: Compiler(language=language, family=family, version="14.0", command=("/cc",))
        for language in languages
    }


def handed(
    backend: str,
    flags: Flags = FLAGS,
    *,
    family: CompilerFamily = "gcc",
    version: str = "84.0.0",
    settings: ConfigSettings | None = None,
    env: Mapping[str, str] | None = None,
    tool: Mapping[str, TOMLValue] | None = None,
    extra_config: str = "",
    meson_build: str = "",
    holds_rust: bool = False,
    routed: bool = False,
) -> Handover:
    delegation = Delegation(
        backend=backend,
        version=version,
        source=SOURCE,
        staging=PRIVATE,
        env=env or {},
        config_settings=settings or {},
        interpreter=INTERPRETER,
        tool=tool or {},
        extra_config=extra_config,
        meson_build=meson_build,
        holds_rust=holds_rust,
        routed=routed,
    )
    return hand_over(flags, delegation, compilers=compilers(family), build_name=NAME)


def env_of(handover: Handover) -> dict[str, str]:
    return dict(handover.env)


BACKENDS = ("setuptools.build_meta", "scikit_build_core.build", "mesonpy", "mine.backend:api")


@pytest.mark.parametrize("backend", BACKENDS)
def test_users_variables_come_first(backend: str) -> None:
    env = env_of(handed(backend, env={"CFLAGS": "-DC", "CXXFLAGS": "-DCC", "FFLAGS": "-DF"}))
    assert env["CFLAGS"].endswith("-DC -march=x86-64-v4")
    assert env["CXXFLAGS"].endswith("-DCC -march=x86-64-v4 -DCXX")
    assert env["FFLAGS"] == env["FCFLAGS"] == "-DF -march=x86-64-v4"
    assert "CPPFLAGS" not in env
    env = env_of(handed(backend, env={"FFLAGS": "-D77", "FCFLAGS": "-D90"}))
    assert env["FFLAGS"] == "-D77 -march=x86-64-v4"
    assert env["FCFLAGS"] == "-D90 -march=x86-64-v4"


FLAG_VARIABLES = {"CFLAGS", "CXXFLAGS", "FFLAGS", "FCFLAGS", "LDFLAGS", "LDSHARED", "CC", "CXX"}


@pytest.mark.parametrize("family", ["gcc", "clang"])
@pytest.mark.parametrize("backend", [*BACKENDS, "maturin"])
def test_variables_stay_unset_where_the_compilers_add_the_flags(
    backend: str, family: CompilerFamily
) -> None:
    flags = replace(FLAGS, link=("-lm",))
    made = handed(backend, flags, family=family, routed=True)
    assert not FLAG_VARIABLES & set(env_of(made))
    assert made.isa_note == IsaNote(level="v4")
    assert not [path for path, _ in made.files if path.name.endswith(".specs")]
    env = env_of(handed(backend, flags, env={"CXXFLAGS": "-O1", "LDFLAGS": "-s"}, routed=True))
    assert env["CXXFLAGS"].endswith("-O1 -march=x86-64-v4 -DCXX")
    assert FLAG_VARIABLES & set(env) == {"CXXFLAGS"}


def test_meson_build_directory_where_the_compilers_add_the_flags() -> None:
    made = handed("mesonpy", settings={"build-dir": "b"}, routed=True)
    assert dict(made.config_settings) == {"build-dir": f"b-{NAME}"}


@pytest.mark.parametrize("flags", [FLAGS, Flags(languages=("c",))])
def test_cargo_has_a_target_directory_for_the_variant(flags: Flags) -> None:
    made = handed("maturin", flags, holds_rust=True, routed=True)
    assert env_of(made)["CARGO_TARGET_DIR"] == f"{SOURCE}/build/{NAME}/cargo"
    made = handed("maturin", flags, env={"CARGO_TARGET_DIR": "/t"}, holds_rust=True)
    assert env_of(made)["CARGO_TARGET_DIR"] == f"/t/{NAME}"
    assert "CARGO_TARGET_DIR" not in env_of(handed("maturin", flags))


@pytest.mark.parametrize("backend", BACKENDS)
def test_note_is_never_in_plain_ldflags(backend: str) -> None:
    for family in ("gcc", "clang"):
        made = handed(backend, family="gcc" if family == "gcc" else "clang")
        assert "-z" not in env_of(made).get("LDFLAGS", "").replace("-specs", "")


@pytest.mark.parametrize("backend", BACKENDS)
def test_nothing_is_touched_without_flags(backend: str) -> None:
    made = handed(backend, Flags(languages=("c",)), env={"CFLAGS": "-g", "LDFLAGS": "-s"})
    assert set(env_of(made)) <= {"DIST_EXTRA_CONFIG"}


@pytest.mark.parametrize("backend", BACKENDS)
def test_link_flags_of_the_settings(backend: str) -> None:
    flags = Flags(languages=("c",), link=("-lm",))
    assert env_of(handed(backend, flags, env={"LDFLAGS": "-s"}))["LDFLAGS"] == "-s -lm"


@pytest.mark.parametrize(
    "made",
    [
        handed("mesonpy", meson_build="project('x', 'c', default_options: ['c_args=-Wno-x'])"),
        handed("mesonpy", meson_build="project('x', 'c', default_options: {'c_args' : '-Wno-x'})"),
        handed("mesonpy", settings={"setup-args": "-Dc_args=-Wno-x"}),
        handed("mesonpy", settings={"setup-args": ["-Dbuildtype=debug", "-Dc_args=-Wno-x"]}),
        handed("mesonpy", tool={"meson-python": {"args": {"setup": ["-Dc_args=-Wno-x"]}}}),
    ],
)
def test_meson_options_that_throw_the_variables_away(made: Handover) -> None:
    env = env_of(made)
    assert env["CC"] == "/cc -march=x86-64-v4"
    assert env["CFLAGS"] == "-march=x86-64-v4"
    assert not {"CXX", "FC"} & set(env)


@pytest.mark.parametrize(
    ("word", "variables"), [("c", {"CC"}), ("cpp", {"CXX"}), ("fortran", {"FC"})]
)
def test_meson_option_of_one_language(word: str, variables: set[str]) -> None:
    env = env_of(handed("mesonpy", settings={"setup-args": f"-D{word}_args=-Wno-x"}))
    assert {"CC", "CXX", "FC"} & set(env) == variables
    # A language that the tree does not have is left out, though its flags are known.
    flags = replace(FLAGS, languages=("c",))
    env = env_of(handed("mesonpy", flags, settings={"setup-args": f"-D{word}_args=-Wno-x"}))
    assert {"CC", "CXX", "FC"} & set(env) == variables & {"CC"}


def test_arguments_of_one_meson_target_throw_nothing_away() -> None:
    text = "project('x', 'c')\nexecutable('y', 'y.c', c_args: ['-DX'])\n"
    assert "CC" not in env_of(handed("mesonpy", meson_build=text))
    hidden = "project('x', 'c', default_options: ['c_args=-Wno-x'])"
    assert "CC" not in env_of(handed("mesonpy", Flags(languages=("c",)), meson_build=hidden))


@pytest.mark.parametrize("backend", ["mesonpy", "mine.backend:api"])
def test_specs_file_in_the_staging_directory(backend: str) -> None:
    made = handed(backend, env={"LDFLAGS": "-specs=/mine"})
    ((path, text),) = made.files
    assert path.parent == PRIVATE
    assert text == "*link:\n+ %{shared:-z x86-64-v4}\n"
    assert env_of(made)["LDFLAGS"] == f"-specs=/mine '-specs={path}'"
    assert made.isa_note == IsaNote(level="v4")


def test_old_glibc_is_marked_all_the_same() -> None:
    note = IsaNote(level="v4", unprotected="glibc 2.17")
    made = handed("mesonpy", Flags(languages=("c",), c=("-g",), isa_note=note))
    assert made.isa_note == note
    assert made.files


@pytest.mark.parametrize("backend", ["mesonpy", "mine.backend:api"])
def test_clang_reads_no_specs(backend: str) -> None:
    made = handed(backend, family="clang")
    assert made.files == ()
    assert "LDFLAGS" not in env_of(made)
    assert made.isa_note.level is None
    assert backend in str(made.isa_note.unprotected)


class TestSetuptools:
    backend = "setuptools.build_meta"

    def test_interpreter_user_ours(self) -> None:
        env = env_of(handed(self.backend, env={"CFLAGS": "-O2", "CXXFLAGS": "-O1"}))
        assert env["CFLAGS"] == "-O3 -DNDEBUG -O2 -march=x86-64-v4"
        assert env["CXXFLAGS"] == "-O3 -DNDEBUG -O1 -march=x86-64-v4 -DCXX"

    def test_cxx_takes_cflags_where_the_user_has_no_cxxflags(self) -> None:
        env = env_of(handed(self.backend, env={"CFLAGS": "-O2"}))
        assert env["CXXFLAGS"] == "-O3 -DNDEBUG -O2 -march=x86-64-v4 -DCXX"

    def test_one_language_only(self) -> None:
        env = env_of(handed(self.backend, Flags(languages=("cxx",), cxx=("-DX",))))
        assert env["CFLAGS"] == env["CXXFLAGS"] == "-O3 -DNDEBUG -DX"

    def test_specs_file_is_kept_with_the_objects(self) -> None:
        made = handed(self.backend)
        specs, config = (path for path, _ in made.files)
        assert specs.parent == config.parent == SOURCE / "build" / NAME
        assert env_of(made)["LDFLAGS"] == f"-specs={specs}"
        assert env_of(made)["DIST_EXTRA_CONFIG"] == str(config)
        assert dict(made.files)[config] == f"[build]\nbuild_base = build/{NAME}\n"

    def test_clang_marks_through_ldshared(self) -> None:
        made = handed(self.backend, family="clang", env={"CC": "clang"})
        env = env_of(made)
        # As setuptools itself would put the user's CC for the interpreter's.
        assert env["LDSHARED"] == "clang -shared -Wl,-z,x86-64-v4"
        assert env["LDCXXSHARED"] == "g++ -pthread -shared -Wl,-z,x86-64-v4"
        assert made.isa_note == IsaNote(level="v4")

    def test_users_ldshared_survives(self) -> None:
        made = handed(self.backend, family="clang", env={"CC": "clang", "LDSHARED": "ld -x"})
        assert env_of(made)["LDSHARED"] == "ld -x -Wl,-z,x86-64-v4"
        env = {"CC": "clang", "LDSHARED": "gcc -pthread -x"}
        made = handed(self.backend, family="clang", env=env)
        assert env_of(made)["LDSHARED"] == "gcc -pthread -x -Wl,-z,x86-64-v4"

    def test_interpreter_that_names_one_linker_only(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.delitem(INTERPRETER, "LDCXXSHARED")
        made = handed(self.backend, family="clang")
        assert made.isa_note == IsaNote(level="v4")
        assert "LDCXXSHARED" not in env_of(made)
        monkeypatch.delitem(INTERPRETER, "LDSHARED")
        made = handed(self.backend, family="clang")
        assert made.isa_note.level is None
        assert "interpreter's link command" in str(made.isa_note.unprotected)

    def test_users_extra_config_survives(self) -> None:
        made = handed(
            self.backend,
            env={"DIST_EXTRA_CONFIG": "/mine"},
            extra_config="[build]\nparallel = 2\nbuild_base = /x\n[bdist_wheel]\nplat = 50%\n",
        )
        parser = configparser.RawConfigParser()
        parser.read_string(dict(made.files)[Path(env_of(made)["DIST_EXTRA_CONFIG"])])
        assert parser["build"]["parallel"] == "2"
        assert parser["build"]["build_base"] == f"build/{NAME}"
        assert parser["bdist_wheel"]["plat"] == "50%"

    def test_users_extra_config_without_a_section_for_the_build(self) -> None:
        made = handed(
            self.backend,
            env={"DIST_EXTRA_CONFIG": "/mine"},
            extra_config="[bdist_wheel]\nplat = x\n",
        )
        text = dict(made.files)[Path(env_of(made)["DIST_EXTRA_CONFIG"])]
        assert f"[build]\nbuild_base = build/{NAME}\n" in text

    @pytest.mark.parametrize("version", ["64.0.0", "65.7.0"])
    @pytest.mark.parametrize(
        ("users", "first"),
        [
            (None, []),
            (True, []),
            ("--plat x", ["--plat", "x"]),
            (["--plat", "a b"], ["--plat", "a b"]),
        ],
    )
    def test_before_66_by_build_option(
        self, version: str, users: str | list[str] | bool | None, first: list[str]
    ) -> None:
        settings: ConfigSettings = {} if users is None else {"--build-option": users}
        made = handed(self.backend, version=version, settings=settings)
        options = dict(made.config_settings)["--build-option"]
        assert options == [*first, "build", f"--build-base=build/{NAME}"]
        assert "DIST_EXTRA_CONFIG" not in env_of(made)

    def test_from_66_by_configuration(self) -> None:
        made = handed(self.backend, version="66.0.0")
        assert made.config_settings == ()
        assert "DIST_EXTRA_CONFIG" in env_of(made)

    def test_unknown_version_counts_as_new(self) -> None:
        assert "DIST_EXTRA_CONFIG" in env_of(handed(self.backend, version=""))

    def test_cxx_flags_that_do_not_arrive_are_said(self) -> None:
        assert "72.1.0" in handed(self.backend, version="72.1.0").notes[0]
        assert handed(self.backend, version="72.2.0").notes == ()
        same = Flags(languages=("c", "cxx"), c=("-DX",), cxx=("-DX",))
        alone = Flags(languages=("cxx",), cxx=("-DX",))
        for flags in (same, alone):
            assert handed(self.backend, flags, version="72.1.0").notes == ()

    def test_msvc_reads_the_compilers_own_variable(self) -> None:
        flags = Flags(languages=("c",), c=("/arch:AVX2",))
        env = env_of(handed(self.backend, flags, family="msvc", env={"CL": "/W4"}))
        assert env["CL"] == "/W4 /arch:AVX2"


class TestScikitBuildCore:
    backend = "scikit_build_core.build"

    def test_note_through_cmakes_variables(self) -> None:
        made = handed(self.backend, family="clang")
        assert dict(made.config_settings) == {
            "cmake.define.CMAKE_MODULE_LINKER_FLAGS_INIT": "-Wl,-z,x86-64-v4",
            "cmake.define.CMAKE_SHARED_LINKER_FLAGS_INIT": "-Wl,-z,x86-64-v4",
        }
        assert made.files == ()
        assert made.isa_note == IsaNote(level="v4")

    @pytest.mark.parametrize(
        ("settings", "env", "tool"),
        [
            ({"cmake.define.CMAKE_SHARED_LINKER_FLAGS_INIT": "-Wl,-s"}, {}, {}),
            ({"skbuild.cmake.define.CMAKE_SHARED_LINKER_FLAGS_INIT": "-Wl,-s"}, {}, {}),
            ({}, {"SKBUILD_CMAKE_DEFINE": "A=1;CMAKE_SHARED_LINKER_FLAGS_INIT=-Wl,-s"}, {}),
            ({}, {}, {"cmake": {"define": {"CMAKE_SHARED_LINKER_FLAGS_INIT": "-Wl,-s"}}}),
        ],
    )
    def test_values_of_user_and_project_stay(
        self,
        settings: dict[str, str],
        env: dict[str, str],
        tool: dict[str, TOMLValue],
    ) -> None:
        made = handed(self.backend, settings=settings, env=env, tool={"scikit-build": tool})
        (key,) = (k for k, _ in made.config_settings if "SHARED" in k)
        assert dict(made.config_settings)[key] == "-Wl,-s -Wl,-z,x86-64-v4"
        assert key in settings or not settings

    def test_config_settings_beat_environment_beat_project(self) -> None:
        name = "CMAKE_MODULE_LINKER_FLAGS_INIT"
        tool: dict[str, TOMLValue] = {"scikit-build": {"cmake": {"define": {name: "-p"}}}}
        env = {"SKBUILD_CMAKE_DEFINE": f"{name}=-e"}
        key = f"cmake.define.{name}"
        made = handed(self.backend, env=env, tool=tool)
        assert str(dict(made.config_settings)[key]).startswith("-e ")
        made = handed(self.backend, settings={key: "-c"}, env=env, tool=tool)
        assert str(dict(made.config_settings)[key]).startswith("-c ")

    def test_cmake_args_that_would_throw_the_environment_away(self) -> None:
        args = "-DA=1 -DCMAKE_C_FLAGS:STRING=-Wall '-DCMAKE_MODULE_LINKER_FLAGS_INIT=-s -t'"
        made = handed(self.backend, env={"CMAKE_ARGS": args})
        assert env_of(made)["CMAKE_ARGS"] == (
            "-DA=1 '-DCMAKE_C_FLAGS:STRING=-Wall -march=x86-64-v4' "
            "'-DCMAKE_MODULE_LINKER_FLAGS_INIT=-s -t -Wl,-z,x86-64-v4'"
        )
        assert [k for k, _ in made.config_settings if "MODULE" in k] == []

    def test_defines_that_would_throw_the_environment_away(self) -> None:
        key = "cmake.define.CMAKE_CXX_FLAGS"
        made = handed(self.backend, settings={key: "-Wall"})
        assert dict(made.config_settings)[key] == "-Wall -march=x86-64-v4 -DCXX"
        key = "cmake.define.CMAKE_Fortran_FLAGS"
        made = handed(self.backend, settings={key: "-Wall"})
        assert dict(made.config_settings)[key] == "-Wall -march=x86-64-v4"

    def test_definition_without_a_value_defines_nothing(self) -> None:
        made = handed(self.backend, env={"SKBUILD_CMAKE_DEFINE": "CMAKE_C_FLAGS;A=1"})
        assert "cmake.define.CMAKE_C_FLAGS" not in dict(made.config_settings)

    def test_settings_stay_where_there_is_nothing_to_say(self) -> None:
        settings = {"cmake.define.CMAKE_C_FLAGS": " -g "}
        made = handed(self.backend, Flags(languages=("c",)), settings=settings)
        assert dict(made.config_settings) == settings

    def test_values_that_are_no_strings_are_left_alone(self) -> None:
        tool: dict[str, TOMLValue] = {
            "scikit-build": {"cmake": {"define": {"CMAKE_C_FLAGS": {"env": "X"}}}}
        }
        made = handed(self.backend, tool=tool)
        assert "cmake.define.CMAKE_C_FLAGS" not in dict(made.config_settings)

    @pytest.mark.parametrize(
        ("settings", "env", "tool", "key", "value"),
        [
            ({}, {}, {}, None, None),
            ({}, {}, {"build-dir": "build/{wheel_tag}/"}, "build-dir", "build/{wheel_tag}"),
            ({}, {"SKBUILD_BUILD_DIR": "b"}, {"build-dir": "c"}, "build-dir", "b"),
            ({"build-dir": "a"}, {"SKBUILD_BUILD_DIR": "b"}, {}, "build-dir", "a"),
            ({"skbuild.build-dir": "a"}, {}, {}, "skbuild.build-dir", "a"),
        ],
    )
    def test_build_dir_only_where_one_is_set(
        self,
        settings: dict[str, str],
        env: dict[str, str],
        tool: dict[str, TOMLValue],
        key: str | None,
        value: str | None,
    ) -> None:
        made = handed(self.backend, settings=settings, env=env, tool={"scikit-build": tool})
        found = {k: v for k, v in made.config_settings if k.endswith("build-dir")}
        assert found == ({key: f"{value}-{NAME}"} if key else {})

    def test_its_setuptools_plugin_is_not_cmake_alone(self) -> None:
        made = handed("scikit_build_core.setuptools.build_meta", version="0.10.7")
        assert "-O3 -DNDEBUG" in env_of(made)["CFLAGS"]
        assert env_of(made)["LDFLAGS"].startswith("-specs=")
        assert "DIST_EXTRA_CONFIG" in env_of(made)


class TestMeson:
    @pytest.mark.parametrize("key", ["build-dir", "builddir"])
    def test_build_dir_of_the_user(self, key: str) -> None:
        made = handed("mesonpy", settings={key: "build/tree/", "setup-args": ["-Dx=y"]})
        directory = f"build/tree-{NAME}"
        assert dict(made.config_settings) == {key: directory, "setup-args": ["-Dx=y"]}
        # Meson stores LDFLAGS, so the specs file stays in its build directory.
        ((path, _),) = made.files
        assert path.parent == SOURCE / directory

    def test_temporary_where_the_user_sets_none(self) -> None:
        assert handed("mesonpy").config_settings == ()

    @pytest.mark.parametrize("value", ["", ["a", "b"], True])
    def test_setting_that_is_not_a_directory_is_kept(self, value: str | list[str] | bool) -> None:
        made = handed("mesonpy", settings={"build-dir": value})
        assert dict(made.config_settings) == {"build-dir": value}

    def test_link_flags_stand_before_the_specs_file(self) -> None:
        made = handed("mesonpy", replace(FLAGS, link=("-lm",)))
        assert env_of(made)["LDFLAGS"].startswith("-lm '-specs=")


def test_users_flags_give_another_build_directory() -> None:
    plain = env_of(handed("setuptools.build_meta"))["DIST_EXTRA_CONFIG"]
    other = env_of(handed("setuptools.build_meta", env={"CFLAGS": "-O1"}))["DIST_EXTRA_CONFIG"]
    again = env_of(handed("setuptools.build_meta", env={"CFLAGS": "-O1"}))["DIST_EXTRA_CONFIG"]
    assert plain != other == again


def test_names_of_builds() -> None:
    assert name_build("cu12.v3", "plan") == name_build("cu12.v3", "plan")
    assert name_build("cu12.v3", "plan") != name_build("cu12.v3", "other plan")
    assert name_build("cu12.v3", "plan").startswith("variantbuild-cu12.v3-")
    assert name_build("", "plan").startswith("variantbuild-plain-")
    assert "/" not in name_build("../x", "plan")


def test_quoting() -> None:
    assert extend(" -g ", ["-DX=a b"]) == "-g '-DX=a b'"
    assert extend("", []) == ""
