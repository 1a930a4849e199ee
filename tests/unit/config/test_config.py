"""Settings: sources, precedence, and the messages about mistakes."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import cast

import pytest

from variantbuild.config import (
    Config,
    Source,
    environment_source,
    resolve_config,
    settings,
    split_config_settings,
    table_source,
)
from variantbuild.config.kinds import parse_value
from variantbuild.config.project import load_project, settings_files
from variantbuild.errors import ConfigError
from variantbuild.types import ConfigSettings, TOMLValue


def pyproject(**values: TOMLValue) -> Source:
    return table_source("pyproject", "pyproject.toml", values)


def config_settings(**values: str) -> Source:
    return split_config_settings({f"variantbuild.{key}": value for key, value in values.items()})[0]


def test_defaults_are_those_of_the_table() -> None:
    config = Config()
    for setting in settings():
        field = setting.key.replace("-", "_").replace(".", "_")
        assert getattr(config, field) == setting.default
    assert resolve_config([]) == config


def test_config_settings_beat_environment_beat_files_beat_pyproject() -> None:
    sources = [
        config_settings(cpu="v1"),
        environment_source({"VARIANTBUILD_CPU": "v2", "VARIANTBUILD_AUDIT": "warn"}),
        table_source("file", "/etc/variantbuild.toml", {"audit": "off", "isa-guard": False}),
        table_source(
            "pyproject",
            "pyproject.toml",
            {"cpu": "v4", "audit": "error", "isa-guard": True, "fp-contract": "off"},
        ),
    ]
    config = resolve_config(sources)
    assert (config.cpu, config.audit, config.isa_guard) == ("v1", "warn", False)
    assert config.fp_contract == "off"
    assert config.origin("cpu") == "the config-setting variantbuild.cpu"
    assert config.origin("audit") == "the environment variable VARIANTBUILD_AUDIT"
    assert config.origin("isa-guard") == "isa-guard in /etc/variantbuild.toml"
    assert config.origin("fp-contract") == "[tool.variantbuild] fp-contract in pyproject.toml"
    assert config.origin("distro") == "the default"


@pytest.mark.parametrize(
    ("key", "raw", "value"),
    [
        ("distro", True, True),
        *(("distro", word, True) for word in ("true", "True", "1", "on", "ON")),
        ("distro", False, False),
        *(("distro", word, False) for word in ("false", "FALSE", "0", "off", "Off")),
        ("flags.c", "-O3; -g ;;", ("-O3", "-g")),
        ("flags.c", ["-O3", "-DX=1;2"], ("-O3", "-DX=1;2")),
        ("cpu", " v3 ", "v3"),
        ("audit", "warn", "warn"),
    ],
)
def test_values(key: str, raw: TOMLValue, value: TOMLValue | tuple[str, ...]) -> None:
    (setting,) = [each for each in settings() if each.key == key]
    assert parse_value(setting, raw) == value


@pytest.mark.parametrize(
    ("key", "raw", "expected"),
    [
        ("distro", 1, "expected true or false"),
        ("distro", "yes", "expected true or false"),
        ("audit", 1, "expected one of error, strict, downgrade, warn, off$"),
        (
            "audit",
            "of",
            "expected one of error, strict, downgrade, warn, off; did you mean 'off'[?]",
        ),
        ("flags.c", 3, "expected a list of strings"),
        ("flags.c", ["-O", 3], "expected a list of strings"),
        ("flags.c", {"a": "b"}, "expected a list of strings"),
        ("cpu", ["v3"], "expected one value, not a list"),
        ("cpu", 3, "expected a non-empty string in quotes"),
        ("cpu", " ", "expected a non-empty string in quotes"),
        ("overrides", [], "only pyproject.toml and settings files can contain it"),
    ],
)
def test_values_of_another_kind(key: str, raw: TOMLValue, expected: str) -> None:
    (setting,) = [each for each in settings() if each.key == key]
    with pytest.raises(ValueError, match=expected):
        parse_value(setting, raw)


def test_unreadable_files(tmp_path: Path) -> None:
    beside = tmp_path / "beside"
    beside.touch()
    with pytest.raises(ConfigError, match="beside is not a directory"):
        load_project(beside, {}, {}, machine_files=())
    with pytest.raises(ConfigError, match="contains no pyproject.toml"):
        load_project(tmp_path, {}, {}, machine_files=())
    (tmp_path / "pyproject.toml").touch()
    # A home that is not a directory, such as /dev/null, contains no settings.
    files = (beside / "variantbuild" / "config.toml", tmp_path / "none.toml")
    assert load_project(tmp_path, {}, {}, machine_files=files).config == Config()
    (tmp_path / "config.toml").mkdir()
    with pytest.raises(ConfigError, match=r"config\.toml cannot be read: Is a directory"):
        load_project(tmp_path, {}, {}, machine_files=(tmp_path / "config.toml",))


def test_overrides_in_a_settings_file(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").touch()
    file = tmp_path / "config.toml"
    file.write_text('[[overrides]]\nif.platform = "*"\naudit = "warn"\n', encoding="utf-8")
    config = load_project(tmp_path, {}, {}, machine_files=(file,)).config
    assert config.audit == "warn"
    assert config.origin("audit") == f"table 1 of overrides in {file}"


@pytest.mark.parametrize(
    ("build_system", "refused"),
    [
        ('build-backend = "variantbuild"\nbackend-path = ["tools"]', True),
        ('build-backend = "variantbuild"\nbackend-path = ["tools", "own"]', False),
        ('build-backend = "variantbuild"', False),
        ('build-backend = "mine"\nbackend-path = ["tools"]', False),
    ],
)
def test_backend_path_that_hides_us(build_system: str, refused: bool, tmp_path: Path) -> None:
    (tmp_path / "own" / "variantbuild").mkdir(parents=True)
    (tmp_path / "pyproject.toml").write_text(f"[build-system]\n{build_system}\n", encoding="utf-8")
    if not refused:
        assert load_project(tmp_path, {}, {}, machine_files=()).config == Config()
        return
    with pytest.raises(ConfigError, match="backend-path = .'tools'. in pyproject.toml") as caught:
        load_project(tmp_path, {}, {}, machine_files=())
    assert "delegate-path = ['tools'] instead, and set delegate to" in str(caught.value.hint)


def test_target_hides_the_keys_of_every_lower_source() -> None:
    sources = [
        config_settings(target="v3"),
        environment_source({"VARIANTBUILD_AUDIT": "warn"}),
        pyproject(cpu="v2", distro=True),
    ]
    config = resolve_config(sources)
    assert (config.cpu, config.distro) == ("auto", False)
    assert config.is_set("audit")
    assert not config.is_set("cpu")


def test_config_setting_without_a_value_is_an_error() -> None:
    ours, rest = split_config_settings({"variantbuild.cpu": None, "quiet": None})
    assert rest == {"quiet": None}
    with pytest.raises(ConfigError, match=r"variantbuild\.cpu is '': expected a non-empty string"):
        resolve_config([ours])


@pytest.mark.parametrize(
    ("source", "said"),
    [
        (
            table_source("pyproject", "pyproject.toml", {"rocm": "6"}),
            "rocm in pyproject.toml is a group, not a setting: "
            "write rocm.version, rocm.architectures",
        ),
        (
            table_source("file", "/etc/variantbuild.toml", {"tool": {"variantbuild": {}}}),
            "tool.variantbuild in /etc/variantbuild.toml is not a setting: in a settings file the "
            "keys are at the top level",
        ),
        (
            table_source("pyproject", "pyproject.toml", {"cuda": {"version": 12.8}}),
            "cuda.version in pyproject.toml is 12.8: expected a non-empty string in quotes",
        ),
        (
            table_source("pyproject", "pyproject.toml", {"zzz": 1}),
            "zzz in pyproject.toml is not a setting; `variantbuild plan --help` lists them",
        ),
    ],
    ids=["group", "heading", "number", "unknown"],
)
def test_typical_mistakes_are_reported_with_the_remedy(source: Source, said: str) -> None:
    with pytest.raises(ConfigError) as caught:
        resolve_config([source])
    assert said in str(caught.value)


def test_target_hides_the_single_keys_of_lower_sources() -> None:
    config = resolve_config([config_settings(target="v3"), pyproject(cpu="v2", distro=True)])
    assert (config.target, config.cpu, config.distro) == ("v3", "auto", False)
    config = resolve_config([config_settings(cpu="v4"), pyproject(target="v3")])
    assert (config.target, config.cpu) == ("v3", "v4")


def test_target_beside_a_key_that_it_sets_is_refused() -> None:
    with pytest.raises(ConfigError, match="cpu .* is set next to a target"):
        resolve_config([pyproject(target="v3", cpu="v3")])


def test_all_problems_are_reported_at_once() -> None:
    sources = [
        config_settings(audi="x", audit="errr"),
        environment_source({"VARIANTBUILD_ISA_GUARD": "perhaps", "VARIANTBUILD_CPUS": "v3"}),
        table_source(
            "pyproject",
            "pyproject.toml",
            {"cpu": 3, "build-cashe": True, "flags": {"d": []}, "delegate_path": []},
        ),
    ]
    with pytest.raises(ConfigError) as caught:
        resolve_config(sources)
    text = str(caught.value)
    assert "variantbuild.audi is not a setting; did you mean 'audit'?" in text
    assert (
        "'errr': expected one of error, strict, downgrade, warn, off; did you mean 'error'?" in text
    )
    assert "VARIANTBUILD_ISA_GUARD is 'perhaps': expected true or false" in text
    assert "VARIANTBUILD_CPUS is not a setting; did you mean VARIANTBUILD_CPU?" in text
    assert "cpu in pyproject.toml is 3: expected a non-empty string" in text
    assert "build-cashe in pyproject.toml is not a setting; did you mean 'build-cache'?" in text
    assert "flags.d in pyproject.toml is not a setting" in text
    assert "delegate_path in pyproject.toml is not a setting; did you mean 'delegate-path'?" in text
    assert caught.value.exit_code == 2


@pytest.mark.parametrize(
    ("value", "expected"),
    [("-O2;-g", ("-O2", "-g")), (["-O2", "-g"], ("-O2", "-g")), ("", ()), ([], ())],
)
def test_lists(value: str | list[str], expected: tuple[str, ...]) -> None:
    source, _ = split_config_settings({"variantbuild.flags.cxx": value})
    assert resolve_config([source]).flags_cxx == expected


@pytest.mark.parametrize("word", ["true", "1", "ON", True])
def test_booleans(word: str | bool) -> None:
    source, _ = split_config_settings({"variantbuild.distro": word})
    assert resolve_config([source]).distro is True


def test_config_settings_of_the_delegate_pass_untouched() -> None:
    given = {"--global-option": ["-v", "-q"], "cmake.define.X": "1", "variantbuild.cpu": "v2"}
    ours, rest = split_config_settings(given)
    assert rest == {"--global-option": ["-v", "-q"], "cmake.define.X": "1"}
    assert dict(ours.values) == {"cpu": "v2"}
    assert split_config_settings(None)[1] == {}


def test_a_config_setting_without_a_value_is_refused() -> None:
    source, _ = split_config_settings({"variantbuild.cpu": None})
    with pytest.raises(ConfigError, match="variantbuild.cpu"):
        resolve_config([source])


def test_environment_ignores_what_is_empty_or_private() -> None:
    env = {"VARIANTBUILD_CPU": "", "_VARIANTBUILD_CMAKE": "1", "VARIANTBUILD_FLAGS_C": "-O1"}
    assert dict(environment_source(env).values) == {"flags.c": "-O1"}


def write(tree: Path, text: str) -> Path:
    tree.mkdir(parents=True, exist_ok=True)
    (tree / "pyproject.toml").write_text(text, encoding="utf-8")
    return tree


def test_files_of_user_and_machine(tmp_path: Path) -> None:
    tree = write(tmp_path / "tree", '[tool.variantbuild]\ncpu = "v4"\n')
    user, machine = tmp_path / "user.toml", tmp_path / "machine.toml"
    machine.write_text('cpu = "v3"\naudit = "warn"\n', encoding="utf-8")
    files = (user, machine)
    project = load_project(tree, None, {}, machine_files=files)
    assert (project.config.cpu, project.config.audit) == ("v3", "warn")
    assert project.config.origin("cpu") == f"cpu in {machine}"
    user.write_text('audit = "downgrade"\n', encoding="utf-8")
    assert load_project(tree, None, {}, machine_files=files).config.audit == "downgrade"


def test_where_the_files_are() -> None:
    home = {"HOME": "/home/ada", "XDG_CONFIG_HOME": "/home/ada/.conf"}
    user, machine = settings_files(home, "linux")
    assert user == Path("/home/ada/.conf/variantbuild/config.toml")
    assert machine == Path("/etc/variantbuild.toml")
    assert settings_files({"HOME": "/home/ada"}, "linux")[0].parts[-3] == ".config"
    assert "Application Support" in str(settings_files({"HOME": "/Users/ada"}, "darwin")[0])
    roaming = settings_files({"APPDATA": "/c/Roaming"}, "win32")[0]
    assert roaming == Path("/c/Roaming/variantbuild/config.toml")
    # A relative path would name another file in each source tree.
    relative = {"HOME": "/home/ada", "XDG_CONFIG_HOME": "conf"}
    assert settings_files(relative, "linux")[0].parts[-3] == ".config"


def test_a_user_without_a_home(monkeypatch: pytest.MonkeyPatch) -> None:
    def no_home() -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setattr(Path, "home", no_home)
    assert settings_files({}, "linux") == (Path("/etc/variantbuild.toml"),)


def test_a_home_that_is_not_a_directory(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text("[project]\nname = 'x'\n", encoding="utf-8")
    for home in ("/dev/null", "/nonexistent"):
        assert load_project(tmp_path, None, {"HOME": home}).config.cpu is not None


@pytest.mark.parametrize("given", ["cpu=v3", ["cpu=v3"], {1: "v3"}, ("a", "b"), 5])
def test_config_settings_that_are_no_dictionary(given: object) -> None:
    with pytest.raises(ConfigError, match="expected a dictionary whose keys are strings"):
        split_config_settings(cast("ConfigSettings", given))


@pytest.mark.skipif(os.name != "posix", reason="POSIX permissions")
def test_a_settings_file_that_others_can_write_is_ignored(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text("[project]\nname = 'x'\n", encoding="utf-8")
    file = tmp_path / "config.toml"
    file.write_text('[flags]\nc = ["-B/tmp/evil"]\n', encoding="utf-8")
    assert load_project(tmp_path, None, {}, machine_files=(file,)).config.flags_c
    file.chmod(0o666)
    project = load_project(tmp_path, None, {}, machine_files=(file,))
    assert project.config.flags_c == ()
    assert f"the settings file {file} is ignored: other users can write" in project.ignored_files[0]
    # A file that is not used cannot break a build either.
    file.write_text("cpu = = 'v2'", encoding="utf-8")
    assert load_project(tmp_path, None, {}, machine_files=(file,)).ignored_files


@pytest.mark.skipif(os.name != "posix" or os.geteuid() != 0, reason="only root can be another user")
def test_root_ignores_the_settings_of_another_user(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text("[project]\nname = 'x'\n", encoding="utf-8")
    with tempfile.TemporaryDirectory() as home:
        directory = Path(home, ".config", "variantbuild")
        directory.mkdir(parents=True)
        (directory / "config.toml").write_text("cpu = 'v2'\n", encoding="utf-8")
        assert load_project(tmp_path, None, {"HOME": home}).config.cpu == "v2"
        os.chown(home, 65534, 65534)
        project = load_project(tmp_path, None, {"HOME": home})
        assert project.config.cpu != "v2"
        assert f"{home} belongs to" in project.ignored_files[0]


@pytest.mark.skipif(os.name != "posix" or os.geteuid() != 0, reason="only root can be another user")
def test_the_home_of_somebody_else() -> None:
    # Not below pytest's own directory, which another user cannot enter.
    with tempfile.TemporaryDirectory() as outside:
        tree, home = Path(outside, "tree"), Path(outside, "home")
        (home / ".config" / "variantbuild").mkdir(parents=True)
        (home / ".config" / "variantbuild" / "config.toml").write_text("cpu = 'v2'\n")
        tree.mkdir()
        (tree / "pyproject.toml").write_text("[project]\nname = 'x'\n", encoding="utf-8")
        home.chmod(0o700)
        Path(outside).chmod(0o755)
        code = (
            "import os, tomllib; from pathlib import Path\n"
            "from variantbuild.config.project import load_project\n"
            "def cpu(): return load_project("
            f"Path({str(tree)!r}), None, {{'HOME': {str(home)!r}}}).config.cpu\n"
            "print(cpu()); os.setuid(65534); print(cpu())\n"
        )
        if sys.version_info < (3, 11):
            code = code.replace("tomllib", "tomli")
        backend = Path(__file__).resolve().parents[3] / "backend"
        env = {**os.environ, "PYTHONPATH": str(backend)}
        command = [sys.executable, "-c", code]
        said = subprocess.run(command, env=env, capture_output=True, text=True, check=True).stdout
    first, second = said.split()
    assert first == "v2"
    assert second != "v2"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[tool\n", "is not valid TOML"),
        (
            "[tool]\nvariantbuild = 3\n",
            "tool.variantbuild in pyproject.toml is 3: expected a table",
        ),
        (
            '[build-system]\nbuild-backend = "variantbuild"\nbackend-path = ["tools"]\n',
            "makes front ends look",
        ),
    ],
)
def test_malformed_pyproject(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        load_project(write(tmp_path, text), None, {}, machine_files=())


def test_missing_pyproject(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"contains no pyproject.toml"):
        load_project(tmp_path, None, {}, machine_files=())


@pytest.mark.parametrize(
    ("key", "values"),
    [("cpu", ["v2", "v3"]), ("audit", ["warn", "error"]), ("isa-guard", ["true", "false"])],
)
def test_a_config_setting_for_one_value_given_twice(key: str, values: list[str]) -> None:
    source, _ = split_config_settings({f"variantbuild.{key}": values})
    with pytest.raises(ConfigError) as caught:
        resolve_config([source])
    assert caught.value.message == (
        f"the config-setting variantbuild.{key} is given 2 times ({values[0]} and {values[1]}): it "
        "takes one value"
    )


def test_a_list_for_one_value_in_a_file() -> None:
    with pytest.raises(ConfigError, match="expected one value, not a list"):
        resolve_config([pyproject(cpu=["v2", "v3"])])


@pytest.mark.parametrize(
    "heading",
    [
        "variantbuild",
        "tool.variant-build",
        "tools.variantbuild",
        "tool.VariantBuild",
        "variant_build",
    ],
)
def test_another_heading_is_named(heading: str, tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text(f'[{heading}]\ncpu = "v3"\n')
    with pytest.raises(ConfigError) as caught:
        load_project(tmp_path, None, {}, machine_files=())
    assert caught.value.message.startswith(f"[{heading}] in pyproject.toml is not read")
    assert "[tool.variantbuild]" in (caught.value.hint or "")


@pytest.mark.parametrize("heading", ["variantbuild", "tool.variantbuild", "variantbuild.cuda"])
def test_a_heading_in_a_settings_file_is_named(heading: str, tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text("")
    machine = tmp_path / "machine.toml"
    machine.write_text(f'[{heading}]\nversion = "12"\n')
    with pytest.raises(ConfigError, match="in a settings file the keys are at the top level"):
        load_project(tmp_path, None, {}, machine_files=(machine,))


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
@pytest.mark.parametrize("name", ["pyproject.toml", "machine.toml"])
def test_a_byte_order_mark_is_named(encoding: str, name: str, tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text("")
    (tmp_path / name).write_text('cpu = "v3"\n', encoding=encoding)
    with pytest.raises(ConfigError) as caught:
        load_project(tmp_path, None, {}, machine_files=(tmp_path / "machine.toml",))
    assert "byte order mark (UTF-" in caught.value.message
    assert str(tmp_path / name) in caught.value.message
