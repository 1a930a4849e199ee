"""Errors at the command line: wrong usage, output that cannot be written, and messages."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from schemas import answers_of
from variantbuild.cli import COMMANDS, main
from variantbuild.config import settings

pytestmark = pytest.mark.usefixtures("fake_compilers")

WITH_WHEELS = (
    ("audit",),
    ("verify",),
    ("unstamp",),
    ("stamp", "--target", "v3"),
    ("patch", "--local", "x"),
    ("repair", "-w", "out"),
)


@pytest.fixture
def project(no_sources: Path) -> Path:
    """A source tree without sources, which every machine can plan."""
    return no_sources


def shell(words: str, directory: Path, **env: str) -> subprocess.CompletedProcess[str]:
    """Run `words` in a shell, `variantbuild` standing for this package's command."""
    command = words.replace("variantbuild", f"{sys.executable} -m variantbuild", 1)
    surroundings = {**os.environ, "HOME": str(directory), "XDG_CONFIG_HOME": str(directory), **env}
    return subprocess.run(
        ["/bin/sh", "-c", command],
        cwd=directory,
        env=surroundings,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def refusal(argv: Sequence[str], capsys: pytest.CaptureFixture[str]) -> str:
    """Return the error for `argv`; the exit code is that of wrong usage."""
    assert main(argv) == 2
    captured = capsys.readouterr()
    assert captured.out == "" or argv[0] == "verify"
    return captured.err


@pytest.mark.skipif(sys.platform == "win32", reason="a POSIX shell is needed")
@pytest.mark.parametrize("command", ["plan", "probe", "cache info", "plan --json"])
def test_closed_standard_output_is_no_error(project: Path, command: str) -> None:
    done = shell(f"variantbuild {command} >&-", project)
    assert (done.returncode, done.stdout) == (0, "")
    assert "Traceback" not in done.stderr


@pytest.mark.skipif(sys.platform == "win32", reason="a POSIX shell is needed")
def test_messages_never_go_to_standard_output(project: Path) -> None:
    done = shell("variantbuild plan --target nothing 2>&-", project)
    assert (done.returncode, done.stdout) == (2, "")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
@pytest.mark.parametrize("command", ["plan", "cache info", "plan --json"])
def test_full_disk_under_standard_output_is_one_sentence(project: Path, command: str) -> None:
    done = shell(f"variantbuild {command} >/dev/full", project)
    assert done.returncode == 2
    assert done.stderr.splitlines()[-2:] == [
        "variantbuild: error: output or a temporary file cannot be used: No space left on device",
        "  hint: free some space or inodes (df, df -i), or choose another directory",
    ]


@pytest.mark.skipif(sys.platform == "win32", reason="a POSIX shell is needed")
def test_reader_that_leaves_is_no_error(project: Path) -> None:
    done = shell("(variantbuild plan; echo $? >code) | true", project)
    assert done.stderr == ""
    assert (project / "code").read_text() in ("141\n", "0\n")


@pytest.mark.skipif(sys.platform == "win32", reason="locales of POSIX")
@pytest.mark.parametrize("command", ["plan -C variantbuild.cpu=vé", "build --help", "probe"])
def test_ascii_terminal(project: Path, command: str) -> None:
    narrow = {"LC_ALL": "C", "PYTHONIOENCODING": "ascii", "COLUMNS": "20"}
    done = shell(f"variantbuild {command}", project, **narrow)
    assert "Traceback" not in done.stderr
    assert done.stdout.isascii()
    assert done.stderr.isascii()


@pytest.mark.parametrize("command", COMMANDS)
def test_unknown_option_is_wrong_use(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stop:
        main([command, "--josn"])
    assert stop.value.code == 2
    assert "usage: variantbuild" in capsys.readouterr().err


@pytest.mark.parametrize("words", WITH_WHEELS, ids=lambda words: words[0])
def test_what_is_no_wheel_is_refused_by_its_name(
    words: tuple[str, ...],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("demo-1.0.tar.gz").write_bytes(b"\x1f\x8b")
    Path("notes.txt").write_text("words", encoding="utf-8")
    Path("empty-1.0-py3-none-any.whl").touch()
    before = sorted(Path().iterdir())
    sdist = refusal([*words, "demo-1.0.tar.gz"], capsys)
    assert "'demo-1.0.tar.gz' is an sdist" in sdist
    assert "hint: build a wheel from it: variantbuild build demo-1.0.tar.gz" in sdist
    assert "'notes.txt' is not a wheel" in refusal([*words, "notes.txt"], capsys)
    assert "'.' is not a regular file" in refusal([*words, "."], capsys)
    assert "'none.whl' does not exist" in refusal([*words, "none.whl"], capsys)
    assert main([*words, "empty-1.0-py3-none-any.whl"]) == (1 if words[0] == "verify" else 2)
    assert "no zip end record" in capsys.readouterr().err
    Path("out").mkdir(exist_ok=True)
    assert not list(Path("out").iterdir())
    assert sorted(path for path in Path().iterdir() if path != Path("out")) == before


@pytest.mark.parametrize("command", ["plan", "build"])
def test_wrong_target_is_named_as_it_was_given(
    command: str, project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    said = refusal([command, str(project), "--target", "v7"], capsys)
    assert said.startswith("variantbuild: error: --target: unknown CPU 'v7'")
    assert "--target" in refusal([command, str(project), "--target", ""], capsys)


@pytest.mark.parametrize(
    "words",
    [
        ("probe", "--why-not", ""),
        ("audit", "--expect", "", "x.whl"),
        ("stamp", "--target", "", "x.whl"),
        ("plan", "--target", ""),
        ("build", "--target", "v3", "--target", ""),
    ],
    ids=lambda words: words[0],
)
def test_empty_label_is_not_the_baseline(
    words: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    assert "'' does not name a variant" in refusal(words, capsys)


@pytest.mark.parametrize("command", ["plan", "build"])
def test_target_is_given_in_one_way(
    command: str, project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = [command, str(project), "--target", "v2", "-C", "variantbuild.target=v3"]
    assert "are both given: keep one of them" in refusal(words, capsys)


@pytest.mark.parametrize("option", ["", "=x", "cpu"])
def test_setting_without_key_or_value(option: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert f"-C {option!r} is not KEY=VALUE" in refusal(["plan", "-C", option], capsys)


def test_wrong_setting_is_told_before_an_environment_is_made(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = project / "dist"
    words = ["build", str(project), "-o", str(out), "-C", "variantbuild.audit=nope"]
    assert main(words) == 2
    said = capsys.readouterr().err
    assert "the config-setting variantbuild.audit is 'nope'" in said
    assert "environment" not in said


def test_what_is_no_sdist_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "demo-1.0.tar.gz"
    path.touch()
    said = refusal(["build", str(path)], capsys)
    assert said.count("\n") == 1
    assert f"{path} cannot be read as an sdist" in said


@pytest.mark.parametrize("command", ["plan", "build"])
def test_help_lists_the_settings(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main([command, "--help"])
    shown = " ".join(capsys.readouterr().out.split())
    assert all(setting.key in shown.replace("- ", "-") for setting in settings())


def test_file_in_place_of_a_source_tree(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    said = refusal(["plan", str(project / "pyproject.toml")], capsys)
    assert f"{project / 'pyproject.toml'} is not a directory" in said


def test_our_key_without_its_prefix_is_told(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["plan", str(project), "-C", "cpu=v3", "-C", "build-dir=x"]) == 0
    assert capsys.readouterr().err == (
        "variantbuild: warning: the config-setting cpu is passed to the delegate; "
        "ours is variantbuild.cpu\n"
    )


@pytest.mark.parametrize("command", COMMANDS)
def test_each_command_has_a_schema_of_its_json(command: str) -> None:
    schema = answers_of(command).schema
    assert isinstance(schema, Mapping)
    assert "version" in schema["required"]
