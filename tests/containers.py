"""A container for cibuildwheel that needs no image: it runs this machine's programs.

The image holds empty directories and links only; /usr and the interpreters are mounted from the
host,
read-only. Needs podman and runc, and root.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tarfile
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

from pythons import find_python

IMAGE = "localhost/variantbuild-tests:1"
_DIRECTORIES = (
    "usr", "tmp", "var/tmp", "root", "proc", "sys", "dev", "etc", "run", "opt/python", "home",
    "host", "project", "output",
)  # fmt: skip
_LINKS = ("bin", "lib", "lib64", "sbin")


@dataclass(frozen=True)
class Container:
    """What cibuildwheel needs in its environment, and the build identifiers that it can build."""

    env: dict[str, str]
    identifiers: tuple[str, ...]


def why_not() -> str | None:
    """Return why no container can be run here; None if one can."""
    missing = [name for name in ("podman", "runc") if not _which(name)]
    if missing:
        return f"{' and '.join(missing)} not installed"
    if os.geteuid() != 0:
        return "containers with the host's /usr need root"
    if len(_interpreters()) < 2:
        return "this machine has no two Pythons with pip in directories of their own"
    return None


def make_container(directory: Path) -> Container:
    """Make the image, its storage and settings in `directory`."""
    pythons = _interpreters()
    (directory / "containers.conf").write_text(
        '[engine]\nruntime = "runc"\n[containers]\nnetns = "host"\n'
        'default_ulimits = ["nofile=1024:1024", "nproc=4096:4096"]\n',
        encoding="utf-8",
    )
    (directory / "storage.conf").write_text(
        f'[storage]\ndriver = "vfs"\n'
        f'graphroot = "{directory}/graph"\nrunroot = "{directory}/run"\n',
        encoding="utf-8",
    )
    env = {
        "CONTAINERS_CONF": str(directory / "containers.conf"),
        "CONTAINERS_STORAGE_CONF": str(directory / "storage.conf"),
    }
    subprocess.run(
        [_which("podman"), "import", "-", IMAGE],
        input=_image(pythons),
        env={**os.environ, **env},
        check=True,
        capture_output=True,
    )
    mounts = [Path("/usr"), Path("/etc/alternatives"), *pythons.values()]
    volumes = " ".join(f"--volume={path}:{path}:ro" for path in mounts if path.exists())
    return Container(
        env={
            **env,
            "CIBW_CONTAINER_ENGINE": f"podman; create_args: {volumes}",
            "CIBW_MANYLINUX_X86_64_IMAGE": IMAGE,
            "CIBW_DEPENDENCY_VERSIONS": "latest",
        },
        identifiers=tuple(f"{tag}-manylinux_x86_64" for tag in list(pythons)[:2]),
    )


def _interpreters() -> dict[str, Path]:
    """Return `cp311` and the prefix of each Python that cibuildwheel could take."""
    found = {}
    for version in ("3.11", "3.12", "3.13"):
        python = find_python(version)
        if python is not None:
            prefix = python.resolve().parent.parent
            if all((prefix / "bin" / name).exists() for name in ("python", "pip")):
                found[f"cp{version.replace('.', '')}"] = prefix
    return found


def _which(name: str) -> str:
    return shutil.which(name, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin") or ""


def _image(pythons: dict[str, Path]) -> bytes:
    data = BytesIO()
    with tarfile.open(fileobj=data, mode="w") as archive:
        for directory in _DIRECTORIES:
            info = tarfile.TarInfo(directory)
            info.type, info.mode = tarfile.DIRTYPE, 0o1777 if directory.endswith("tmp") else 0o755
            archive.addfile(info)
        links = {name: f"usr/{name}" for name in _LINKS}
        links |= {f"opt/python/{tag}-{tag}": str(prefix) for tag, prefix in pythons.items()}
        # cibuildwheel's own helper programs run with this one.
        links["opt/python/cp39-cp39"] = str(next(iter(pythons.values())))
        for name, target in links.items():
            info = tarfile.TarInfo(name)
            info.type, info.linkname = tarfile.SYMTYPE, target
            archive.addfile(info)
        for name in ("etc/passwd", "etc/group"):
            archive.add(f"/{name}", name)
    return data.getvalue()
