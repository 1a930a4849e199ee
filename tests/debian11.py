"""Make a root with Debian 11's Python 3.9 and glibc 2.31: `python tests/debian11.py DIRECTORY`.

Needs apt and dpkg, and Debian's index, but no privileges: the packages are downloaded by an apt
with its own lists, and unpacked. Programs run in the root by chroot, or by its loader.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

PACKAGES = (
    "libc6", "python3.9", "python3.9-minimal", "libpython3.9-minimal", "libpython3.9-stdlib",
    "libcrypt1", "zlib1g", "libexpat1", "libmpdec3", "libgcc-s1", "libstdc++6", "libbz2-1.0",
    "liblzma5", "libssl1.1", "libffi7", "libuuid1",
)  # fmt: skip
_SOURCE = "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] {mirror} bullseye main\n"
#: Where Debian 11 is, and where it is moved to when it is archived.
_MIRRORS = ("http://deb.debian.org/debian", "http://archive.debian.org/debian")


def why_not() -> str | None:
    """Return why the root cannot be made here; None if it can be tried."""
    missing = [each for each in ("apt-get", "dpkg") if shutil.which(each) is None]
    return f"{' and '.join(missing)} not installed" if missing else None


def make_root(directory: Path) -> Path:
    """Make the root in `directory`; return it. Raises RuntimeError if the index does not answer."""
    root, packages = directory / "root", directory / "packages"
    for each in (root, packages, directory / "lists/partial", directory / "cache/partial"):
        each.mkdir(parents=True, exist_ok=True)
    errors = []
    for mirror in _MIRRORS:
        sources = directory / "sources.list"
        sources.write_text(_SOURCE.format(mirror=mirror), encoding="utf-8")
        options = [
            f"-oDir::Etc::sourcelist={sources}", "-oDir::Etc::sourceparts=-",
            f"-oDir::State::lists={directory}/lists", "-oDir::State::status=/dev/null",
            f"-oDir::Cache={directory}/cache",
            "-oAPT::Architecture=amd64", "-oAPT::Architectures=amd64", "-oAPT::Sandbox::User=",
            "-oAcquire::Check-Valid-Until=false", "-oAcquire::Retries=2", "-qq",
        ]  # fmt: skip
        update = _run("apt-get", *options, "update", cwd=packages)
        download = _run("apt-get", *options, "download", *PACKAGES, cwd=packages)
        if download.returncode == 0:
            break
        errors.append(update.stderr + download.stderr)
    else:
        raise RuntimeError("\n".join(errors))
    for package in sorted(packages.glob("*.deb")):
        subprocess.run(["dpkg", "-x", package, root], check=True)
    return root


def _run(*words: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        words, cwd=cwd, capture_output=True, text=True, check=False, env=dict(os.environ)
    )


def python_of(root: Path) -> tuple[str, ...]:
    """Return the words that run the root's Python with the root's loader and libraries.

    So it also runs under an emulator, and with files outside of the root.
    """
    places = ("lib/x86_64-linux-gnu", "usr/lib/x86_64-linux-gnu")
    libraries = ":".join(str(root / each) for each in places)
    loader = root / "lib/x86_64-linux-gnu/ld-2.31.so"
    return (str(loader), "--library-path", libraries, str(root / "usr/bin/python3.9"))


if __name__ == "__main__":
    print(make_root(Path(sys.argv[1]).resolve()))
