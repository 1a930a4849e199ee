"""The scripts that stand for compilers, run by the shell around a program that prints its words."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from variantbuild.delegate.handover.wrapper import REPLACED_NAME, Moved, Wrapper, render_wrapper

FLAGS = ("-march=x86-64-v3", "-mtune=generic")
ECHO = (
    '#!/bin/sh\nfor a do case $a in @*) cat "${a#@}" ;; *) echo "$a" ;; esac; done\necho "$PATH"\n'
)


def call(
    directory: Path,
    *words: str,
    override: bool = False,
    moved: Moved | None = None,
    **more: tuple[str, ...],
) -> list[str]:
    """Run the wrapper of a program in `directory` with `words`; return the words that arrived."""
    program = directory / "real compiler"
    program.write_text(ECHO, encoding="utf-8")
    program.chmod(0o755)
    place = directory / "compilers"
    place.mkdir(exist_ok=True)
    wrapper = Wrapper(
        name="gcc",
        command=(str(program),),
        language="c",
        family="gcc",
        before=FLAGS,
        shared=("-Wl,-z,x86-64-v3",),
        override=override,
        moved=moved,
        **more,
    )
    script = place / "gcc"
    script.write_text(render_wrapper(wrapper, place), encoding="utf-8")
    script.chmod(0o755)
    path = f"/first:{place}:{os.environ['PATH']}"
    env = {"PATH": path, "TMPDIR": str(directory)}
    done = subprocess.run([script, *words], env=env, capture_output=True, text=True, check=True)
    *arrived, seen = done.stdout.splitlines()
    assert seen == f"/first:{os.environ['PATH']}"
    return arrived


@pytest.mark.parametrize("name", ["plain", "with space", "Übung", "it's", 'a"b', "a$b`c"])
def test_flags_come_first_and_the_users_last(name: str, tmp_path: Path) -> None:
    directory = tmp_path / name
    directory.mkdir()
    words = ("-c", "a b.c", "-DX='y z'", "-mavx512f", "")
    arrived = call(directory, *words, after=("-O1", "-DQ=a b"))
    assert arrived == [*FLAGS, *words, "-O1", "-DQ=a b"]


@pytest.mark.parametrize(
    ("words", "marked"),
    [
        (("-shared", "a.o"), True),
        (("a.o", "--shared", "-o", "m.so"), True),
        (("-shared", "-c", "a.c"), False),
        (("a.o", "-o", "program"), False),
    ],
)
def test_only_shared_objects_are_marked(
    words: tuple[str, ...], marked: bool, tmp_path: Path
) -> None:
    arrived = call(tmp_path, *words, shared_after=("-lm",))
    assert ("-Wl,-z,x86-64-v3" in arrived) is marked
    assert ("-lm" in arrived) is marked


@pytest.mark.parametrize(
    "word", ["--version", "-v", "-dumpversion", "-dumpmachine", "-print-libgcc-file-name"]
)
def test_question_is_passed_on_alone(word: str, tmp_path: Path) -> None:
    assert call(tmp_path, word) == [word]
    assert call(tmp_path, word, override=True) == [word]


def test_cpu_of_the_interpreter_is_left_out_and_others_stay(tmp_path: Path) -> None:
    arrived = call(
        tmp_path, "-march=x86-64-v2", "-march=native", "x.c", dropped=("-march=x86-64-v2",)
    )
    assert arrived == [*FLAGS, "-march=native", "x.c"]


def test_cpu_options_are_replaced_and_listed(tmp_path: Path) -> None:
    given = (
        "-O2",
        "-march=native",
        "-mcpu=x y",
        "-mavx512f",
        "-mtune=znver4",
        "-o",
        "x.o",
        "-march",
    )
    arrived = call(tmp_path, *given, override=True)
    assert arrived == [*FLAGS, "-O2", "-mavx512f", "-o", "x.o", "-march"]
    listed = (tmp_path / "compilers" / REPLACED_NAME).read_text(encoding="utf-8").splitlines()
    assert listed == ["-march=native", "-mcpu=x y", "-mtune=znver4"]


def test_cpu_options_in_a_response_file_are_replaced(tmp_path: Path) -> None:
    answers = tmp_path / "args.rsp"
    answers.write_text('-O2 "-march=native" -mtune=native\n-DX="a b"\n', encoding="utf-8")
    arrived = call(tmp_path, f"@{answers}", "x.c", override=True)
    assert " ".join(arrived).split() == [*FLAGS, "-O2", '-DX="a', 'b"', "x.c"]
    assert "native" in answers.read_text(encoding="utf-8")
    assert not list(tmp_path.glob("variantbuild-*"))
    listed = (tmp_path / "compilers" / REPLACED_NAME).read_text(encoding="utf-8").splitlines()
    assert listed == ["-march=native", "-mtune=native"]


@pytest.mark.parametrize("name", ["plain", "with space", "it's", 'a"b', "a$b`c"])
@pytest.mark.parametrize("override", [True, False])
def test_copied_tree_is_named_only_if_the_arguments_name_it(
    name: str, override: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tree = tmp_path / name
    (tree / "sub").mkdir(parents=True)
    moved = Moved(str(tree), "/my home/it's")
    monkeypatch.chdir(tree)
    expected = [*FLAGS, "-fdebug-compilation-dir=/my home/it's", "-c", "a.c"]
    assert call(tmp_path, "-c", "a.c", moved=moved, override=override) == expected
    monkeypatch.chdir(tree / "sub")
    assert call(tmp_path, "-c", "a.c", moved=moved, override=override)[2] == f"{expected[2]}/sub"
    word = f"-I{tree}/sub"
    mapping = f"-ffile-prefix-map={tree}=/my home/it's"
    expected = [*FLAGS, mapping, word, "-c"]
    assert call(tmp_path, word, "-c", moved=moved, override=override) == expected
    monkeypatch.chdir(tmp_path)
    assert call(tmp_path, "-c", "a.c", moved=moved) == [*FLAGS, "-c", "a.c"]
