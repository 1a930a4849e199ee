"""Wheels that do not belong together are refused in one sentence, and nothing is written."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from variantbuild.binary.choosers import Chooser, Copy
from variantbuild.bundle.codeless import render_codeless
from variantbuild.bundle.joining import Options, bundle_wheels
from variantbuild.cli import main
from variantbuild.errors import VariantBuildError
from wheels.forge import Draft, metadata

Change = Callable[[Draft], object]

PLAIN = "py3-none-linux_x86_64"
V3 = "py3-none-linux_x86_64.linux_x86_64_v3"


def draft(label: str = "", tag: str = "", name: str = "demo", version: str = "1.0") -> Draft:
    """Return a wheel without machine code, with the label of a variant."""
    full = version + (f"+{label}" if label else "")
    if not tag:
        platform = "linux_x86_64"
        suffix = label.replace(".", "_")
        tag = f"py3-none-{platform}" + (f".{platform}_{suffix}" if label else "")
    made = Draft(name, full, tag)
    made.drop("demo/core.so")
    return made


def bom(number: str, component: str, kind: str = "cyclonedx") -> bytes:
    """Return a list of one component, as the build `number` writes it."""
    path = f"path+file:///tmp/{number}/src#{component}"
    if kind == "spdx":
        info = {"created": number, "creators": ["Tool: x"]}
        rest: object = {"spdxVersion": "SPDX-2.3", "documentNamespace": path, "creationInfo": info}
    else:
        rest = {
            "bomFormat": "CycloneDX",
            "serialNumber": f"urn:uuid:{number}",
            "metadata": {"timestamp": number},
            "components": [{"bom-ref": path, "name": component, "version": "1"}],
            "dependencies": [{"ref": path, "dependsOn": []}],
        }
    return json.dumps(rest).encode()


@pytest.mark.parametrize("kind", ["cyclonedx", "spdx"])
def test_bills_of_materials_of_two_builds(kind: str, tmp_path: Path) -> None:
    """They differ in number, time and paths: the baseline's is taken."""
    one, other = bom("1", "fast", kind), bom("2", "fast", kind)
    drafts = [draft(), draft("v3")]
    for made, data in zip(drafts, (one, other), strict=True):
        made.add_info("sboms/a.json", data)
    out = tmp_path / "out"
    out.mkdir()
    written = bundle_wheels(write_all(drafts, tmp_path), out, Options(), {})
    with zipfile.ZipFile(written.path) as archive:
        assert archive.read("demo-1.0.dist-info/sboms/a.json") == one
    assert not any("sboms" in note for note in written.notes)


def changed(made: Draft, change: Change) -> Draft:
    change(made)
    return made


CASES: dict[str, tuple[list[Draft], str]] = {
    "one wheel": ([draft()], "is the only wheel, and a bundle has at least two"),
    "no baseline": (
        [draft("v3"), draft("v4")],
        "none of the wheels is the baseline: they are for ",
    ),
    "a level twice": ([draft(), draft("v3"), draft("v3", version="1.0")], "are both for v3"),
    "two baselines": ([draft(), draft()], "are both for v1"),
    "another project": ([draft(), draft("v3", name="other")], "the project of one is demo, of the"),
    "another version": ([draft(), draft("v3", version="1.1")], "the version of one is 1.0, of the"),
    "another Python": (
        [draft(), draft("v3", "cp311-none-linux_x86_64_v3")],
        "the Python of one is py3, of the other cp311",
    ),
    "another ABI": (
        [draft(tag="cp311-cp311-linux_x86_64"), draft("v3", "cp311-abi3-linux_x86_64_v3")],
        "the ABI of one is cp311, of the other abi3",
    ),
    "another platform": (
        [draft(), draft("v3", "py3-none-manylinux_2_28_x86_64_v3")],
        "the platform of one is linux_x86_64, of the other manylinux_2_28_x86_64",
    ),
    "another architecture": (
        [draft(), draft(tag="py3-none-linux_aarch64")],
        "the platform of one is linux_x86_64, of the other linux_aarch64",
    ),
    "other metadata": (
        [
            draft(),
            changed(
                draft("v3"),
                lambda made: made.add_info(
                    "METADATA", metadata("demo", "1.0+v3", "Requires-Dist: fast\n")
                ),
            ),
        ],
        "their METADATA differs in more than the version's label",
    ),
    "an accelerator": ([draft(), draft("cu12.v3")], "is for cu12: a bundle has plain tags"),
    "a distribution": ([draft(), draft("fc39.v3")], "is for fc39: a bundle has plain tags"),
    "macOS": (
        [draft(tag="py3-none-macosx_11_0_arm64")] * 2,
        "is for macosx_11_0_arm64, and bundles are for Linux",
    ),
    "any platform": ([draft(tag="py3-none-any")] * 2, "is not for one CPU architecture"),
    "an architecture without stub": (
        [draft(tag="py3-none-linux_ppc64le")] * 2,
        "is for ppc64le, and bundles are for x86_64 and aarch64",
    ),
    "another text": (
        [draft(), changed(draft("v3"), lambda made: made.add("demo/config.py", b"v3"))],
        "demo/config.py is only in the wheel for v3",
    ),
    "a text that differs": (
        [
            changed(draft(), lambda made: made.add("demo/config.py", b"v1")),
            changed(draft("v3"), lambda made: made.add("demo/config.py", b"v3")),
        ],
        "demo/config.py differs and is not a module or a library",
    ),
    "a text of dist-info that differs": (
        [
            changed(draft(), lambda made: made.add_info("licenses/LICENSE", b"v1")),
            changed(draft("v3"), lambda made: made.add_info("licenses/LICENSE", b"v3")),
        ],
        ".dist-info/licenses/LICENSE differs",
    ),
    "a bill of materials with another component": (
        [
            changed(draft(), lambda made: made.add_info("sboms/a.json", bom("1", "fast"))),
            changed(draft("v3"), lambda made: made.add_info("sboms/a.json", bom("2", "slow"))),
        ],
        ".dist-info/sboms/a.json differs and is not a module",
    ),
    "a bill of materials in a format of its own": (
        [
            changed(draft(), lambda made: made.add_info("sboms/a.json", b'{"timestamp": 1}')),
            changed(draft("v3"), lambda made: made.add_info("sboms/a.json", b'{"timestamp": 2}')),
        ],
        ".dist-info/sboms/a.json differs and is not a module",
    ),
    "a damaged wheel": (
        [draft(), changed(draft("v3"), lambda made: setattr(made, "cut", 400))],
        "end record",
    ),
}


def write_all(drafts: list[Draft], folder: Path) -> list[Path]:
    paths = []
    for number, each in enumerate(drafts):
        place = folder / str(number)
        place.mkdir()
        paths.append(place / each.file_name)
        paths[-1].write_bytes(each.build())
    return paths


@pytest.mark.parametrize("case", CASES)
def test_refused(case: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    drafts, message = CASES[case]
    paths = write_all(drafts, tmp_path)
    before = [path.read_bytes() for path in paths]
    out = tmp_path / "out"
    assert main(["bundle", *map(str, paths), "-o", str(out)]) == 2
    said = " ".join(capsys.readouterr().err.split())
    assert message in said
    assert "Traceback" not in said
    assert not out.exists()
    assert [path.read_bytes() for path in paths] == before


def test_the_baseline_is_taken_where_a_pattern_says_so(tmp_path: Path) -> None:
    drafts, _ = CASES["a text that differs"]
    paths = write_all(drafts, tmp_path)
    out = tmp_path / "out"
    out.mkdir()
    options = Options(take_baseline=("*/config.py",))
    made = bundle_wheels(paths, out, options, {})
    assert made.method is None
    assert any(note.startswith("demo/config.py differs") for note in made.notes)
    assert any(note.startswith("v3 adds nothing") for note in made.notes)


def test_an_input_is_never_replaced(tmp_path: Path) -> None:
    paths = write_all([draft(), draft("v3")], tmp_path)
    with pytest.raises(VariantBuildError, match="would be replaced with the bundle"):
        bundle_wheels(paths, paths[0].parent, Options(), {})
    assert sorted(each.name for each in paths[0].parent.iterdir()) == [paths[0].name]


@pytest.mark.parametrize("growth", ["0", "-1", "x", "inf", "nan"])
def test_a_ratio_that_is_none(growth: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stop:
        main(["bundle", "a.whl", "--max-growth", growth])
    assert stop.value.code == 2
    assert "is not a positive number" in capsys.readouterr().err


def test_a_bundle_that_grows_too_much(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    drafts, _ = CASES["a text that differs"]
    words = [*map(str, write_all(drafts, tmp_path)), "--take-baseline", "*/config.py"]
    out = tmp_path / "out"
    assert main(["bundle", *words, "-o", str(out), "--max-growth", "0.5"]) == 2
    said = " ".join(capsys.readouterr().err.split())
    assert "times the baseline's" in said
    assert "--max-growth is 0.5 hint: leave out a level, or allow more" in said
    assert not out.exists()
    assert main(["bundle", *words, "-o", str(out), "--max-growth", "3"]) == 0
    assert len([*out.iterdir()]) == 1


def with_table(*copies: tuple[str, str]) -> Draft:
    """Return a wheel with a module whose table lists `copies`, and the copies for v3 and v1."""
    rows = tuple(Copy(label=label, file=file) for label, file in copies)
    made = draft()
    table = str(Chooser(method="stub", copies=rows)).encode()
    made.add("demo/core.so", render_codeless("x86_64", needed=(), run_paths=(), table=table))
    for name in ("demo/core.so.v3", "demo/core.so.v1"):
        made.add(name, render_codeless("x86_64", needed=(), run_paths=(), table=b""))
    return made


SOUND = (("v3", "core.so.v3"), ("v1", "core.so.v1"))


@pytest.mark.parametrize(
    ("copies", "message"),
    [
        ((("v9", "core.so.v3"), ("v1", "core.so.v1")), "names 'v9', which is not a level or CPU"),
        ((("zen9", "core.so.v3"), ("v1", "core.so.v1")), "names 'zen9'"),
        ((("v3", "core.so.v3"), ("v3", "core.so.v1"), ("v1", "core.so.v1")), "names v3 twice"),
        ((("v1", "core.so.v1"), ("v3", "core.so.v3")), "does not end with the baseline, v1"),
        ((("v3", "core.so.v3"),), "does not end with the baseline, v1"),
        ((("v3", "core.so.v4"), ("v1", "core.so.v1")), "demo/core.so.v4, is not in the wheel"),
        ((("v3", "../../x.so"), ("v1", "core.so.v1")), "is not in the wheel"),
        ((("v3", "core.so.v3"), ("v1", "core.so")), "the copy for v1 in its table of copies"),
    ],
)
@pytest.mark.parametrize("command", ["audit", "repair", "split", "check"])
def test_a_table_that_contradicts_the_wheel_is_refused(
    command: str,
    copies: tuple[tuple[str, str], ...],
    message: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    (path,) = write_all([with_table(*copies)], tmp_path)
    before = path.read_bytes()
    out = tmp_path / "out"
    words = {
        "audit": ["audit", str(path)],
        "repair": ["repair", str(path), "-w", str(out)],
        "split": ["bundle", "--split", str(path), "-o", str(out)],
        "check": ["bundle", "--check", "python -c pass", str(path)],
    }[command]
    assert main(words) == 2
    said = " ".join(capsys.readouterr().err.split())
    assert message in said
    assert "demo/core.so" in said
    assert not out.exists()
    assert path.read_bytes() == before


def test_a_bundle_is_not_bundled_again(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    paths = write_all([with_table(*SOUND), draft("v3")], tmp_path)
    assert main(["bundle", *map(str, paths), "-o", str(tmp_path / "out")]) == 2
    assert "is a bundle already" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("wheels", [1, 2])
@pytest.mark.parametrize("command", ["python -c 'pass", "", "  "])
def test_a_check_that_is_no_command(
    command: str, wheels: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    paths = write_all([draft(), draft("v3")][:wheels], tmp_path)
    out = tmp_path / "out"
    assert main(["bundle", *map(str, paths), "-o", str(out), "--check", command]) == 2
    assert "--check" in capsys.readouterr().err
    assert not out.exists()
