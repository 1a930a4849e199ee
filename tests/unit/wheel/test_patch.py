"""Patching: requirements by name, labels, and bytes of METADATA that do not change."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol, TypedDict

import pytest

from variantbuild.errors import WheelError
from variantbuild.wheel import apply_edit, open_wheel, plan_patch, verify_wheel
from variantbuild.wheel.filename import join_local
from wheels.forge import Draft, Write, metadata


class Patch(Protocol):
    """Patches a wheel with requirements and returns METADATA's new text."""

    def __call__(
        self,
        *,
        local: str | None = None,
        remove: Sequence[str] = (),
        add: Sequence[str] = (),
        more: str = ...,
        newline: str = ...,
    ) -> str: ...


class Wanted(TypedDict, total=False):
    """The arguments of a patch."""

    local: str
    remove: list[str]
    add: list[str]


REQUIRES = """Requires-Dist: triton==3.1.0 ; platform_system == "Linux"
Requires-Dist: numpy>=1.20
Requires-Dist: Triton[extra]>=2; extra == 'gpu'
Requires-Dist: triton-lib
Requires-Dist: my_pkg
 >=1.0
Provides-Extra: gpu
"""


@pytest.fixture
def patch(write: Write, tmp_path: Path) -> Patch:
    """Patch a wheel with requirements and return METADATA's new text."""

    def run(
        *,
        local: str | None = None,
        remove: Sequence[str] = (),
        add: Sequence[str] = (),
        more: str = REQUIRES,
        newline: str = "\n",
    ) -> str:
        draft = Draft()
        text = metadata("demo", "1.0", more) + b"From here: Requires-Dist: triton\n"
        draft.part("METADATA").data = text.replace(b"\n", newline.encode())
        output = tmp_path / "output"
        output.mkdir(exist_ok=True)
        with open_wheel(write(draft)) as wheel:
            plan = plan_patch(
                verify_wheel(wheel), local=local, remove_requires=remove, add_requires=add
            )
            path = apply_edit(wheel, plan, output)
        with open_wheel(path) as wheel:
            inventory = verify_wheel(wheel)
            assert inventory.version == ("1.0" if local is None else f"1.0+{local}")
            return inventory.metadata.data.decode()

    return run


def test_remove_takes_every_spelling_and_nothing_else(patch: Patch) -> None:
    text = patch(remove=["TRITON"])
    assert "Requires-Dist: triton==" not in text
    assert "Triton[extra]" not in text
    assert "Requires-Dist: triton-lib\n" in text
    assert text.endswith("From here: Requires-Dist: triton\n")


def test_remove_takes_folded_lines_whole(patch: Patch) -> None:
    text = patch(remove=["My.Pkg"])
    assert "my_pkg" not in text
    assert ">=1.0\n" not in text
    assert "Provides-Extra: gpu\n" in text


def test_add_goes_behind_the_last_requirement(patch: Patch) -> None:
    text = patch(add=["pytorch-triton >= 3", "cupy; extra == 'gpu'"], remove=["my-pkg"])
    lines = text.splitlines()
    at = lines.index("Requires-Dist: triton-lib")
    assert lines[at + 1] == "Requires-Dist: pytorch-triton>=3"
    assert lines[at + 2] == 'Requires-Dist: cupy; extra == "gpu"'
    assert lines[at + 3] == "Provides-Extra: gpu"


def test_add_without_any_requirement_ends_the_headers(patch: Patch) -> None:
    text = patch(add=["numpy"], more="")
    assert "text/plain\nRequires-Dist: numpy\n\nA description." in text


def test_crlf_is_kept_throughout(patch: Patch) -> None:
    text = patch(remove=["triton"], add=["numpy<3"], local="stripe.2", newline="\r\n")
    assert text.count("\n") == text.count("\r\n")
    assert "Version: 1.0+stripe.2\r\n" in text


def test_several_edits_at_once(patch: Patch) -> None:
    text = patch(local="stripe.2", remove=["triton", "numpy"], add=["numpy>=2"])
    assert "Requires-Dist: numpy>=2\n" in text
    assert "numpy>=1.20" not in text


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"remove": ["tritom"]}, "does not require 'tritom'.*triton"),
        ({"remove": ["triton==3.1.0"]}, "not a valid project name"),
        ({"remove": [""]}, "not a valid project name"),
        ({"add": ["not a valid requirement"]}, "not a valid requirement"),
        ({"add": ["x @ http://h/\nVersion: 2"]}, "not a valid requirement"),
        ({"add": ["numpy>=1.20"]}, "already"),
        ({"add": ["x; extra == 'nope'"]}, "extra 'nope'"),
        ({}, "nothing to patch"),
        ({"local": "Stripe_2"}, "would be normalised to 'stripe.2'"),
        ({"local": "0012"}, "would be normalised to '12'"),
        ({"local": "a+b"}, "not valid"),
        ({"local": "a\n"}, "not valid"),
        ({"local": ""}, "not valid"),
    ],
)
def test_mistakes_are_one_sentence(patch: Patch, arguments: Wanted, message: str) -> None:
    with pytest.raises(WheelError, match=message):
        patch(**arguments)


@pytest.mark.parametrize(
    ("version", "label", "joined"),
    [
        ("1.0", "v3", "1.0+v3"),
        ("1.0+cu118", "v3", "1.0+cu118.v3"),
        ("1.0+v3", "v3", "1.0+v3"),
        ("1.0+cu118.v3", "v3", "1.0+cu118.v3"),
        ("1.0+xv3", "v3", "1.0+xv3.v3"),
        ("1!1.0rc1", "cu12.v3", "1!1.0rc1+cu12.v3"),
    ],
)
def test_labels_are_joined_once(version: str, label: str, joined: str) -> None:
    assert join_local(version, label) == joined
