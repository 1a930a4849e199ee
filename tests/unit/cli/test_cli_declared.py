"""Which variant a wheel declares: audit, stamp, unstamp and repair read the same in each case."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from binaries.elves import command_lines, elf, isa_note
from variantbuild.cli import main
from wheels.forge import Draft
from wheels.forge import wheel as wheel_text

PLAIN = "linux_x86_64"
ARM = "linux_aarch64"
DIFFERENT = "declares different variants: "


@dataclass(frozen=True)
class Case:
    """A wheel by its version and tags, and the expected result of each command.

    `stamp` stamps as v3. A command in `says` is expected to print that sentence, `codes` are the
    exit codes, and `written` the versions and platforms of the new wheels.
    """

    file: str
    version: str = "1.0"
    wheel: str | None = None
    codes: Mapping[str, int] = field(default_factory=dict)
    says: Mapping[str, str] = field(default_factory=dict)
    written: Mapping[str, str] = field(default_factory=dict)


def everywhere(sentence: str) -> dict[str, str]:
    return dict.fromkeys(("audit", "stamp", "unstamp", "repair"), sentence)


#: A contradiction is an error except for `unstamp`, which removes it with a warning.
REFUSED = {"audit": 1, "stamp": 2, "unstamp": 0, "repair": 2}

CASES = {
    "set": Case(
        f"{PLAIN}.{PLAIN}_v3",
        "1.0+v3",
        codes={"audit": 0, "stamp": 2, "unstamp": 0, "repair": 0},
        says={"audit": "declared v3", "stamp": f"is stamped already: {PLAIN}_v3"},
        written={
            "unstamp": f"1.0 {PLAIN}",
            "repair": "1.0+v3 manylinux_2_5_x86_64.manylinux_2_5_x86_64_v3",
        },
    ),
    "hybrid": Case(
        f"{PLAIN}_v3",
        "1.0+v3",
        f"{PLAIN}.{PLAIN}_v3",
        codes={"audit": 0, "stamp": 2, "unstamp": 0, "repair": 0},
        says={"audit": "declared v3", "stamp": "is stamped already"},
        written={"repair": "1.0+v3 manylinux_2_5_x86_64_v3"},
    ),
    "two variants in the file name": Case(
        f"{PLAIN}_v2.{PLAIN}_v3",
        "1.0+v3",
        codes=REFUSED,
        says=everywhere(
            f"{DIFFERENT}v2 by the tag {PLAIN}_v2 in the file name and v3 by the tag {PLAIN}_v3 in"
        ),
        written={"unstamp": f"1.0 {PLAIN}"},
    ),
    "file name against WHEEL": Case(
        f"{PLAIN}_v3",
        "1.0+v3",
        f"{PLAIN}_v3.{PLAIN}_v4",
        codes=REFUSED,
        says=everywhere(
            f"{DIFFERENT}v3 by the tag {PLAIN}_v3 in the file name and v4 by the tag {PLAIN}_v4 in "
            "WHEEL"
        ),
        written={"unstamp": f"1.0 {PLAIN}"},
    ),
    "version against tag": Case(
        f"{PLAIN}.{PLAIN}_v3",
        "1.0+v2",
        codes=REFUSED,
        says=everywhere(
            f"{DIFFERENT}v3 by the tag {PLAIN}_v3 in the file name and v2 by the version 1.0+v2"
        ),
        written={"unstamp": f"1.0 {PLAIN}"},
    ),
    "two labels in the version": Case(
        PLAIN,
        "1.0+v2.v3",
        codes=REFUSED,
        says=everywhere(f"{DIFFERENT}v3 by the version 1.0+v2.v3 and v2 by the version 1.0+v2.v3"),
    ),
    "the baseline's label against a tag": Case(
        f"{PLAIN}_v3",
        "1.0+v1",
        codes=REFUSED,
        says=everywhere(f"{DIFFERENT}v3 by the tag {PLAIN}_v3 in the file name and v1 by"),
    ),
    "suffix of another tool": Case(
        f"{PLAIN}_fast",
        codes={"audit": 0, "stamp": 2, "unstamp": 2, "repair": 2},
        says=everywhere(f"platform tag '{PLAIN}_fast': unknown CPU 'fast' for x86_64"),
    ),
    "a variant of one of two architectures": Case(
        f"{ARM}.{PLAIN}_v3",
        "1.0+v3",
        codes=REFUSED,
        says=everywhere(
            f"declares v3 by the tag {PLAIN}_v3 in the file name, but is tagged for aarch64 and "
            "x86_64"
        ),
        written={"unstamp": f"1.0 {ARM}.{PLAIN}"},
    ),
    "two architectures": Case(
        f"{ARM}.{PLAIN}",
        codes={"audit": 1, "stamp": 2, "unstamp": 2, "repair": 2},
        says={
            "audit": "demo/core.so is for x86_64, but the tag says linux_aarch64",
            "stamp": "is tagged for aarch64 and x86_64, and a variant needs exactly one",
            "unstamp": "has no stamp",
            "repair": "is tagged for aarch64 and x86_64, and a variant needs exactly one",
        },
    ),
    "universal2": Case(
        "macosx_11_0_universal2",
        codes={"audit": 0, "stamp": 2, "unstamp": 2, "repair": 0},
        says={
            "audit": "declares no variant",
            "stamp": "is tagged for x86_64 and aarch64, and a variant needs exactly one",
            "unstamp": "has no stamp",
        },
        written={"repair": "1.0 macosx_11_0_universal2"},
    ),
    "label in the version only": Case(
        PLAIN,
        "1.0+v3",
        codes={"audit": 0, "stamp": 0, "unstamp": 0, "repair": 0},
        says={"audit": "declared v3"},
        written={
            "stamp": f"1.0+v3 {PLAIN}.{PLAIN}_v3",
            "unstamp": f"1.0 {PLAIN}",
            "repair": "1.0+v3 manylinux_2_5_x86_64.manylinux_2_5_x86_64_v3",
        },
    ),
    "label at the end of the version only": Case(
        PLAIN,
        "1.0+local.2.v3",
        codes={"audit": 0, "stamp": 0, "unstamp": 0, "repair": 0},
        says={"audit": "declared v3"},
        written={
            "stamp": f"1.0+local.2.v3 {PLAIN}.{PLAIN}_v3",
            "unstamp": f"1.0+local.2 {PLAIN}",
            "repair": "1.0+local.2.v3 manylinux_2_5_x86_64.manylinux_2_5_x86_64_v3",
        },
    ),
    "another label in the version only": Case(
        PLAIN,
        "1.0+local.2.v2",
        codes={"audit": 1, "stamp": 2, "unstamp": 0, "repair": 1},
        says={
            "audit": "declared v2",
            "stamp": f"{DIFFERENT}v3 by the tag {PLAIN}_v3 in the file name and v2 by the version "
            "1.0+local.2.v2.v3",
            "repair": "not stamped as v2",
        },
        written={"unstamp": f"1.0+local.2 {PLAIN}"},
    ),
    "a project's own label on another axis": Case(
        f"{PLAIN}.{PLAIN}_v3",
        "1.0+cu12.v3",
        codes={"audit": 0, "stamp": 2, "unstamp": 0, "repair": 0},
        says={"audit": "declared v3"},
        written={"unstamp": f"1.0+cu12 {PLAIN}"},
    ),
    "label in the file name only": Case(
        f"{PLAIN}_v3",
        wheel=PLAIN,
        codes={"audit": 1, "stamp": 2, "unstamp": 2, "repair": 2},
        says={
            "audit": f"declares v3 by the tag {PLAIN}_v3 in the file name, which WHEEL does not",
            **dict.fromkeys(
                ("stamp", "unstamp", "repair"),
                f"it lacks the file name's tag py3-none-{PLAIN}_v3",
            ),
        },
    ),
    "label in WHEEL only": Case(
        PLAIN,
        wheel=f"{PLAIN}.{PLAIN}_v3",
        codes={"audit": 0, "stamp": 2, "unstamp": 0, "repair": 0},
        says={"audit": "declared v3", "stamp": "is stamped already"},
        written={"unstamp": f"1.0 {PLAIN}", "repair": "1.0 manylinux_2_5_x86_64_v3"},
    ),
    "none": Case(
        PLAIN,
        codes={"audit": 0, "stamp": 0, "unstamp": 2, "repair": 1},
        says={
            "audit": "declares no variant",
            "unstamp": "has no stamp",
            "repair": "demo/core.so needs v3 by its recorded -march=x86-64-v3 and its ISA note",
        },
        written={"stamp": f"1.0+v3 {PLAIN}.{PLAIN}_v3"},
    ),
}


def write_case(case: Case, directory: Path) -> Path:
    """Write the wheel of a case; its module has v3 in its ISA note and its recorded options."""
    draft = Draft(version=case.version, tag=f"py3-none-{case.file}")
    draft.part("WHEEL").data = wheel_text(f"py3-none-{case.wheel or case.file}")
    told = case.file == PLAIN or "_v" in case.file or "v" in case.version
    draft.part("demo/core.so").data = elf(
        note=isa_note(4) if told else b"",
        sections=command_lines("GNU C17 -march=x86-64-v3") if told else {},
    )
    directory.mkdir()
    path = directory / draft.file_name
    path.write_bytes(draft.build())
    return path


@pytest.mark.parametrize("command", ["audit", "stamp", "unstamp", "repair"])
@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_all_commands_read_the_same(
    case: Case, command: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = write_case(case, tmp_path / "in")
    out = tmp_path / "out"
    words = {
        "audit": [],
        "stamp": ["--target", "v3", "-o", str(out)],
        "unstamp": ["-o", str(out)],
        "repair": ["--tag-only", "-w", str(out)],
    }[command]
    code = main([command, str(path), *words])
    shown = capsys.readouterr()
    said = (shown.out if command == "audit" else shown.err).replace("\n", " ")
    assert case.says.get(command, "") in said
    assert code == case.codes[command], said
    made = sorted(out.iterdir()) if out.is_dir() else []
    assert len(made) == (code == 0 and command != "audit")
    for new in made:
        version, *_, platforms = new.stem.split("-")[1:]
        assert f"{version} {platforms}" == case.written.get(command, f"{version} {platforms}")


@pytest.mark.parametrize("label", ["v2", "local.v2", "v1"])
def test_a_chosen_label_does_not_contradict_the_tag(
    label: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = write_case(CASES["none"], tmp_path / "in")
    assert main(["stamp", str(path), "--target", "v3", "--local", label]) == 2
    said = capsys.readouterr().err
    assert f"{path.name} cannot be stamped as v3: " in said
    assert DIFFERENT in said
    assert main(["stamp", str(path), "--target", "v3", "--local", "cu12"]) == 0
