"""A CUDA toolkit from PyPI, completed so that nvcc can link with it."""

from __future__ import annotations

from pathlib import Path


def complete_toolkit(root: Path, directory: Path) -> Path:
    """Create in `directory` a toolkit of links to the one at `root`, complete for linking.

    The wheels have no `lib64` and no `libcudart.so`, and nvcc searches for its libraries relative
    to the path by which it is called. The environment itself is not changed: it may be the user's
    own. Called once per build: a second call for the same directory raises FileExistsError. Returns
    the new root.
    """
    home = directory / "cuda"
    for name in ("bin", "lib"):
        (home / name).mkdir(parents=True)
        for entry in (root / name).iterdir():
            _link(home / name / entry.name, entry)
    for library in (root / "lib").glob("lib*.so.[0-9]*"):
        _link(home / "lib" / (library.name.partition(".so.")[0] + ".so"), Path(library.name))
    for entry in root.iterdir():
        if entry.name not in ("bin", "lib"):
            _link(home / entry.name, entry)
    _link(home / "lib64", Path("lib"))
    return home


def _link(path: Path, target: Path) -> None:
    if not path.is_symlink():
        path.symlink_to(target)
