"""The generated parts of CONTRIBUTING.md, and the table of test durations."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

import contributing
import durations
from contributing import ROOT, main
from variantbuild.cli import COMMANDS

REPORT = """<testsuites><testsuite>
<testcase classname="tests.unit.tags.test_forms" name="test_a[x|y]" time="0.5"/>
<testcase classname="tests.unit.test_layout.TestB" name="test_b" time="1.25"/>
<testcase classname="tests.integration.test_pip" name="test_c" time="4"/>
<testcase classname="tests.unit.test_gpu" name="test_d" time="0"><skipped/></testcase>
</testsuite></testsuites>"""


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A copy of what the generator reads and writes."""
    for name in ("CONTRIBUTING.md", "pyproject.toml"):
        shutil.copy(ROOT / name, tmp_path)
    for name in ("backend", "cmake"):
        shutil.copytree(
            ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("*.json", "__pycache__")
        )
    return tmp_path


def test_contributing_is_up_to_date() -> None:
    assert main(["--check"]) == 0


@pytest.mark.parametrize(
    ("path", "old", "new"),
    [
        ("backend/variantbuild/data/__init__.py", '"""', '"""Changed: '),
        ("pyproject.toml", '    "host",\n', '    "host | other",\n'),
        ("pyproject.toml", 'id = "no-probe"\nname = "', 'id = "no-probe"\nname = "Changed: '),
    ],
)
def test_a_change_is_reported_and_written(
    tree: Path, path: str, old: str, new: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([], tree) == 0
    source = tree / path
    text = source.read_text("utf-8")
    assert old in text
    source.write_text(text.replace(old, new, 1), "utf-8")

    before = (tree / "CONTRIBUTING.md").read_text("utf-8")
    assert main(["--check"], tree) == 1
    expected = "CONTRIBUTING.md is out of date: run `python docs/contributing.py`\n"
    assert capsys.readouterr().err == expected
    assert (tree / "CONTRIBUTING.md").read_text("utf-8") == before

    assert main([], tree) == 0
    assert main(["--check"], tree) == 0
    assert (tree / "CONTRIBUTING.md").read_text("utf-8") != before


def test_missing_marks_are_an_error(tree: Path) -> None:
    (tree / "CONTRIBUTING.md").write_text("# Contributing\n", "utf-8")
    with pytest.raises(SystemExit, match="packages: generated --> .* are missing"):
        main([], tree)


def test_every_package_is_in_the_map() -> None:
    table = contributing.render_packages(ROOT)
    for path in (ROOT / "backend" / "variantbuild").rglob("__init__.py"):
        place = path.parent.relative_to(ROOT).as_posix()
        assert place == "backend/variantbuild" or f"]({place}) | " in table
    assert "]() " not in table
    assert "|  |" not in table


@pytest.mark.parametrize(
    "page", ["README.md", "CONTRIBUTING.md", *(f"docs/{p.name}" for p in ROOT.glob("docs/*.md"))]
)
def test_paths_in_the_documentation_exist(page: str) -> None:
    text = (ROOT / page).read_text("utf-8")
    named = re.findall(r"\b(?:backend|cmake|docs|example_project|tests)/[\w./-]*\w", text)
    named += [
        str((ROOT / page).parent.joinpath(link).resolve().relative_to(ROOT))
        for link in re.findall(r"\]\(([^)#:]+)\)", text)
    ]
    missing = {path for path in named if "NAME" not in path and not (ROOT / path).exists()}
    assert missing == set()


def test_durations_are_added_up(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    report = tmp_path / "report.xml"
    report.write_text(REPORT, "utf-8")

    assert durations.main([str(report)]) == 0

    assert capsys.readouterr().out.splitlines() == [
        "| directory | tests | total | slowest test |",
        "|---|---|---|---|",
        "| `tests/integration` | 1 | 4.0 s | 4.0 s |",
        "| `tests/unit` | 2 | 1.8 s | 1.2 s |",
        "",
        "| test | time |",
        "|---|---|",
        "| `integration/test_pip::test_c` | 4.0 s |",
        "| `unit/test_layout::TestB::test_b` | 1.2 s |",
        r"| `unit/test_forms::test_a[x\|y]` | 0.5 s |",
    ]


def test_readme_is_short_lists_all_commands_and_marks_those_that_ci_runs() -> None:
    text = (ROOT / "README.md").read_text("utf-8")
    assert len(text.splitlines()) < 150
    assert [name for name in COMMANDS if not re.search(rf"^\| .*`.*\b{name}\b", text, re.M)] == []
    for name in re.findall(r"\$\(readme (\w+)\)", (ROOT / ".ci" / "run").read_text("utf-8")):
        assert re.search(rf"^<!-- command: {name} -->\n```sh\n.+\n```$", text, re.MULTILINE)
