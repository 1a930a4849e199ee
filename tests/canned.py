"""A source tree whose backend returns a prepared wheel: hooks without any compiler."""

from __future__ import annotations

import json
import os
import sys
import zipfile
from email.parser import BytesParser
from pathlib import Path

import pytest

from binaries.elves import command_lines, elf, isa_note
from reporters import RecordingReporter
from variantbuild.config.delegatespec import DelegateSpec
from variantbuild.delegate.backend import Delegate, load_delegate
from variantbuild.frontend.situation import FRONTEND_VARIABLE
from wheels.forge import Draft

#: The bits of the ISA note, by level.
NOTES = {"v1": 1, "v2": 2, "v3": 4, "v4": 8}

BACKEND = """
import json, pathlib, shutil, zipfile

def record(hook, settings):
    calls = pathlib.Path("../calls.json")
    before = json.loads(calls.read_text()) if calls.exists() else []
    calls.write_text(json.dumps([*before, [hook, settings]]))

def build_wheel(wheel_directory, config_settings=None, metadata_directory=None):
    record("build_wheel", config_settings)
    if metadata_directory is not None:
        raise RuntimeError("the delegate got a metadata directory")
    wheel, = pathlib.Path("canned").glob("*.whl")
    shutil.copy(wheel, wheel_directory)
    return wheel.name

def build_sdist(sdist_directory, config_settings=None):
    record("build_sdist", config_settings)
    pathlib.Path(sdist_directory, "demo-1.0.tar.gz").write_bytes(b"sdist")
    named = pathlib.Path("sdist-name")
    return named.read_text() if named.exists() else "demo-1.0.tar.gz"

def get_requires_for_build_wheel(config_settings=None):
    return ["wheel-tool"]

def get_requires_for_build_sdist(config_settings=None):
    return ["sdist-tool"]
"""

PREPARE = """
def prepare_metadata_for_build_wheel(metadata_directory, config_settings=None):
    record("prepare_metadata_for_build_wheel", config_settings)
    wheel, = pathlib.Path("canned").glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        for name in archive.namelist():
            if ".dist-info/" in name and not name.endswith("/RECORD"):
                archive.extract(name, metadata_directory)
    return "demo-1.0.dist-info"
"""

EDITABLE = """
def build_editable(wheel_directory, config_settings=None, metadata_directory=None):
    for module in pathlib.Path("inplace").glob("*.so"):
        shutil.copy(module, "src")
    return build_wheel(wheel_directory, config_settings)

def prepare_metadata_for_build_editable(metadata_directory, config_settings=None):
    return prepare_metadata_for_build_wheel(metadata_directory, config_settings)
"""


#: `popcnt rax, rdi; ret`, which the level v2 has and the baseline does not.
POPCNT = bytes.fromhex("f3480fb8c7 c3")


def module(march: str, *, note: str | None = "", machine: int = 62, code: bytes = b"") -> bytes:
    """Return a shared object that records `-march=x86-64-MARCH`; its ISA note is `note` or MARCH.

    None leaves the note out.
    """
    level = march if note == "" else note
    flag = "-march=x86-64" if march == "v1" else f"-march=x86-64-{march}"
    return elf(
        machine=machine,
        code=code,
        note=b"" if level is None else isa_note(NOTES[level]),
        sections=command_lines(f"GNU C17 {flag}"),
    )


class Tree:
    """The source tree: the wheel that its backend returns, and the hooks that were called."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.out = directory.parent / "out"
        self.out.mkdir()
        self.reporter = RecordingReporter()
        for name in ("canned", "tools", "src", "inplace"):
            (directory / name).mkdir(parents=True)
        self.configure()
        self.backend(BACKEND + PREPARE + EDITABLE)
        self.hand_out(module("v3"))

    def configure(self, text: str = "") -> None:
        """Write pyproject.toml with `text` in the table of the settings."""
        (self.directory / "pyproject.toml").write_text(
            '[build-system]\nrequires = []\nbuild-backend = "variantbuild"\n'
            '[project]\nname = "demo"\nversion = "1.0"\n[tool.variantbuild]\n'
            f'delegate = "canned_backend"\ndelegate-path = ["tools"]\n{text}\n',
            encoding="utf-8",
        )

    def backend(self, text: str) -> None:
        """Replace the backend, which is imported again."""
        text = text.replace("../calls.json", str(self.directory.parent / "calls.json"))
        (self.directory / "tools" / "canned_backend.py").write_text(text, encoding="utf-8")
        sys.modules.pop("canned_backend", None)

    def load(self, spec: DelegateSpec) -> Delegate:
        """Load the backend that `spec` names; the messages of the build go to `reporter`."""
        return load_delegate(spec, env=os.environ, reporter=self.reporter)

    def hand_out(
        self, *modules: bytes, tag: str = "py3-none-linux_x86_64", version: str = "1.0"
    ) -> Path:
        """Put a wheel with `modules` where the backend finds it; return its path."""
        draft = Draft(version=version, tag=tag)
        del draft.parts["demo/core.so"]
        for number, data in enumerate(modules):
            draft.add(f"demo/m{number}.so", data)
        for old in (self.directory / "canned").iterdir():
            old.unlink()
        path = self.directory / "canned" / draft.file_name
        path.write_bytes(draft.build())
        return path

    @property
    def calls(self) -> list[str]:
        """The hooks of the backend that ran, in order."""
        return [hook for hook, _ in self._calls()]

    @property
    def settings(self) -> dict[str, object]:
        """The config-settings of the backend's last hook."""
        return self._calls()[-1][1] or {}

    def _calls(self) -> list[tuple[str, dict[str, object] | None]]:
        path = self.directory.parent / "calls.json"
        found: list[tuple[str, dict[str, object] | None]]
        found = json.loads(path.read_text()) if path.exists() else []
        return found

    @property
    def made(self) -> list[str]:
        """The names in the output directory."""
        return sorted(path.name for path in self.out.iterdir())


def header(wheel: Path, file: str, name: str) -> list[str]:
    """Return the values of one header of METADATA or WHEEL in the wheel."""
    with zipfile.ZipFile(wheel) as archive:
        (member,) = [each for each in archive.namelist() if each.endswith(f".dist-info/{file}")]
        values = BytesParser().parsebytes(archive.read(member)).get_all(name, [])
        return [str(value) for value in values]


def enter(tree: Tree, monkeypatch: pytest.MonkeyPatch, home: Path) -> None:
    """Make `tree` the current directory of the hooks, as `variantbuild build` calls them."""
    for name in ("PIP_BUILD_TRACKER", "UV_INTERNAL__BUILD_DIR", "CIBUILDWHEEL", "CFLAGS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(home))
    monkeypatch.setenv("XDG_CACHE_HOME", str(home / "cache"))
    monkeypatch.setenv(FRONTEND_VARIABLE, "variantbuild")
    monkeypatch.setattr(sys, "path", sys.path[:])
    monkeypatch.chdir(tree.directory)
