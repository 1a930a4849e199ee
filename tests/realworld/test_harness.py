"""The harness: it counts compilations of the project, and nothing else."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from realworld.bundles import BEGIN, END, write_table
from realworld.bundling import BundleOutcome, read_bundles, store_bundle
from realworld.checking import shows
from realworld.commands import StepError
from realworld.compilelines import compiles, make_shims, read_calls, works
from realworld.looptimes import read_timings, store_timings
from realworld.outcome import Outcome, TargetOutcome, read_outcome, write_outcome
from realworld.page import render_page
from realworld.recipes import TARGETS, load_recipes
from realworld.run import main
from realworld.trees import switch_backend
from realworld.verdict import verdict
from workshop import SOURCES

RECIPES = load_recipes()
MODULE = "pkg/module.so"
GOOD = TargetOutcome(
    march="-march=x86-64-v3",
    seconds=1,
    cpu=1,
    lines=2,
    modules={MODULE: "recorded flags"},
    needs={MODULE: "v3"},
    audited=True,
    pip="",
    uv="",
    check="",
    noticed=(MODULE,),
)
OUTCOME = Outcome(
    name="markupsafe",
    version="1",
    when="2026-01-01",
    python="3.11",
    compiler="cc",
    targets=dict.fromkeys(TARGETS, GOOD),
    loop={"v1": 0.002, "v3": 0.001, "ratio": 2.0},
)


def test_every_recipe_is_pinned_and_has_a_script() -> None:
    assert len(RECIPES) >= 30
    assert sum(each.subset for each in RECIPES.values()) == 5
    for recipe in RECIPES.values():
        assert len(recipe.sha256) == 64, recipe.name
        assert recipe.script.is_file(), recipe.name
        assert ("def loop" in recipe.script.read_text("utf-8")) >= recipe.loop, recipe.name


@pytest.mark.parametrize(
    ("target", "words"),
    [
        (replace(GOOD, strays=("-c a.c",)), "1 of 2 compiler calls lack"),
        (replace(GOOD, lines=0), "only 0 of 1 compiler calls were recorded"),
        (replace(GOOD, plain_lines=3), "only 2 of 3 compiler calls were recorded"),
        (replace(GOOD, audited=False), "the audit found errors"),
        (replace(GOOD, modules={}), "nothing was compiled"),
        (replace(GOOD, modules={MODULE: ""}), f"{MODULE} has no evidence of"),
        (replace(GOOD, uv="no\nmatching wheel"), "uv failed: matching wheel"),
        (replace(GOOD, check="AssertionError"), "the check failed"),
        (replace(GOOD, noticed=()), f"the check passes without {MODULE}"),
        (replace(GOOD, error="no wheel"), "no wheel"),
    ],
)
def test_what_does_not_pass(target: TargetOutcome, words: str) -> None:
    assert verdict(RECIPES["markupsafe"], OUTCOME).passes
    outcome = replace(OUTCOME, targets={**OUTCOME.targets, "v3": target})
    (problem,) = verdict(RECIPES["markupsafe"], outcome).problems
    assert problem.startswith(f"v3: {words}")


def test_what_must_be_refused() -> None:
    words = {"v1": "more than v1 has", "v3": "more than v3 has"}
    recipe = replace(RECIPES["markupsafe"], refused=words)
    native = replace(GOOD, march="-march=x86-64-v4")
    built = replace(OUTCOME, targets={"v1": GOOD, "v3": GOOD, "native": native})
    assert [each[:9] for each in verdict(recipe, built).problems] == ["v1: built", "v3: built"]
    refused = {
        each: replace(GOOD, march=f"-march={each}", error=f"more than {each} has")
        for each in ("v1", "v3")
    }
    found = verdict(recipe, replace(OUTCOME, targets={**refused, "native": native}))
    assert found.passes
    other = {**refused, "v1": replace(GOOD, error="no compiler"), "native": native}
    (problem,) = verdict(recipe, replace(OUTCOME, targets=other)).problems
    assert problem == "v1: refused for another reason: no compiler"
    same = {"v1": refused["v1"], "v3": GOOD, "native": GOOD}
    assert verdict(recipe, replace(OUTCOME, targets=same)).passes


@pytest.mark.parametrize(
    ("switches", "level", "note", "march", "shown"),
    [
        (["-march=x86-64-v3"], "v1", None, "-march=x86-64-v3", "recorded flags"),
        (["-march=x86-64-v3", "no -march"], "v3", "v3", "-march=x86-64-v3", None),
        (["-march=x86-64-v3 -maes"], "v3", "v3", "-march=x86-64-v3", "recorded flags"),
        (["no -march"], "v1", None, "-march=x86-64", "recorded flags"),
        (["no -march", "-mavx2 -mbmi"], "v1", None, "-march=x86-64", "recorded flags"),
        (["-march=x86-64-v2"], "v1", None, "-march=x86-64", None),
        ([], "v3", None, "-march=x86-64-v3", "instructions"),
        ([], "v1", "v3", "-march=x86-64-v3", "ISA note"),
        ([], "v1", None, "-march=x86-64-v3", None),
    ],
)
def test_evidence_of_a_level(
    switches: list[str], level: str, note: str | None, march: str, shown: str | None
) -> None:
    file = {"switches": switches, "level": level, "isa_note": note}
    assert shows(file, march) == shown


@pytest.mark.compile
def test_shims_see_compilations_and_nothing_else(tmp_path: Path) -> None:
    log = tmp_path / "calls"
    compiler = make_shims(tmp_path / "shims", log) / "cc"
    shutil.copy(SOURCES / "headers.c", tmp_path / "a b.c")
    for words in (
        ("-march=x86-64", "-march=x86-64-v3", "-c", "a b.c", "-o", "a.o"),
        ("-shared", "a.o", "-o", "a.so"),
        ("-E", "a b.c"),
        ("--version",),
    ):
        subprocess.run([compiler, *words], cwd=tmp_path, check=True, stdout=subprocess.DEVNULL)
    calls = read_calls(log)
    # Calls in the same tick of the file system's clock are in any order.
    assert {call.words[-1]: works(call) for call in calls} == {
        "a.o": True,
        "a.so": True,
        "a b.c": True,
        "--version": False,
    }
    assert len(calls) == 4
    (line,) = [call for call in calls if compiles(call)]
    assert line.cpu > 0
    assert line.march == "-march=x86-64-v3"
    assert "a b.c" in line.words
    assert line.directory == str(tmp_path)


@pytest.mark.parametrize(
    "text",
    [
        "",
        '[project]\nname = "x"\n',
        '[build-system]\nrequires = [\n  "a[b]",\n]\nbuild-backend = "b"\n[project]\nname = "x"\n',
        '[project]\nname = "x"\n\n[build-system]\nrequires = ["a[b]"]\nbuild-backend = "b"\n',
    ],
)
def test_backends_are_switched(tmp_path: Path, text: str) -> None:
    (tmp_path / "pyproject.toml").write_text(text, encoding="utf-8")
    had = switch_backend(tmp_path)
    written = (tmp_path / "pyproject.toml").read_text("utf-8")
    assert had.backend == ("b" if "build-system" in text else "setuptools.build_meta:__legacy__")
    assert f'delegate = "{had.backend}"' in written
    assert 'build-backend = "variantbuild"' in written
    assert ('name = "x"' in written) == ('name = "x"' in text)


def test_a_backend_written_otherwise_is_left_alone(tmp_path: Path) -> None:
    text = 'build-system.requires = ["a"]\nbuild-system.build-backend = "b"\n'
    (tmp_path / "pyproject.toml").write_text(text, encoding="utf-8")
    with pytest.raises(StepError, match="cannot be told"):
        switch_backend(tmp_path)
    assert (tmp_path / "pyproject.toml").read_text("utf-8") == text


def test_outcomes_are_kept_and_shown(tmp_path: Path) -> None:
    assert read_outcome("markupsafe", tmp_path) is None
    write_outcome(OUTCOME, tmp_path)
    assert read_outcome("markupsafe", tmp_path) == OUTCOME
    timings = tmp_path / "timings.json"
    timings.write_text("{}", encoding="utf-8")
    store_timings({"markupsafe": OUTCOME, "lz4": replace(OUTCOME, loop={})}, timings)
    page = render_page(RECIPES, {"markupsafe": OUTCOME, "lz4": None}, read_timings(timings))
    assert "**1 of 1** pass. Not run: lz4." in page
    assert "Measured on 2026-01-01" in page
    assert "| markupsafe | 2.00 ms | 1.00 ms | 2.00 |" in page
    assert "| lz4 " not in page


def test_bundles_are_kept_and_shown(tmp_path: Path) -> None:
    file, page = tmp_path / "bundles.json", tmp_path / "page.md"
    assert read_bundles(file) == {}
    passed = BundleOutcome(
        when="2026-01-01", version="1", kind="setuptools, C", method="stub", modules=2,
        copies=("v1", "v3"), levels=("v1", "v3", "v4"), size=3072, plain_size=2048, ratio=1.5,
        imported=0.51, plain_imported=0.4,
    )  # fmt: skip
    failed = BundleOutcome(when="2026-01-02", version="1", kind="Rust", problem="no wheel")
    store_bundle("markupsafe", failed, file)
    store_bundle("bitarray", passed, file)
    assert read_bundles(file) == {"bitarray": passed, "markupsafe": failed}
    page.write_text(f"before\n{BEGIN}old\n{END}after\n", encoding="utf-8")
    write_table(read_bundles(file), page)
    lines = page.read_text("utf-8").splitlines()
    assert lines[0] == "before"
    assert lines[-1] == "after"
    row = "| bitarray | setuptools, C | 2 × v1, v3 (stub) | 1.50 × | 2 → 3 KiB | 0.4 → 0.5 ms |"
    assert row in lines
    assert "| markupsafe | Rust | **no wheel** | – | – | – |" in lines
    assert "old" not in lines


def test_packages_that_are_bundled() -> None:
    chosen = [each for each in RECIPES.values() if each.bundle]
    assert len(chosen) >= 10
    assert {"bitarray", "argon2-cffi-bindings"} <= {each.name for each in chosen}
    found = read_bundles()
    for each in chosen:
        assert found[each.name].version == each.version
        assert not found[each.name].problem
        assert found[each.name].levels == ("v1", "v3", "v4")
    kinds = " ".join(each.kind for each in chosen)
    for kind in ("Cython", "pybind11", "nanobind", "CFFI", "Rust", "Fortran", "abi3", "C++"):
        assert kind in kinds


@pytest.mark.parametrize("words", [("-j", "0"), ("-j", "many"), ("-j", "-1")])
def test_invalid_number_of_jobs(words: tuple[str, str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as left:
        main(["--all", *words])
    assert left.value.code == 2
    assert f"{words[1]!r} is not a positive number of packages" in capsys.readouterr().err


@pytest.mark.parametrize("place", ["file", "file/below", "/proc/nowhere"])
def test_directory_that_cannot_be_written_to(
    place: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("in the way", "utf-8")
    assert main(["--all", "--directory", str(tmp_path / place)]) == 2
    told = capsys.readouterr().err
    assert told.count("\n") == 1
    assert str(tmp_path / place) in told
