"""Checks the file that a backend's hook says it wrote."""

from __future__ import annotations

from pathlib import Path

from variantbuild.delegate.backend import Delegate
from variantbuild.errors import DelegateError


def returned_path(name: object, directory: Path, delegate: Delegate, hook: str) -> Path:
    """Return the path of what `hook` returned and wrote into `directory`.

    A wheel that is not the returned one is reported. Raises DelegateError if it is missing, and for
    a symbolic link: what it leads to is not the delegate's to publish, nor ours to rewrite.
    """
    backend = delegate.spec.backend
    named = isinstance(name, str) and name and Path(name).name == name
    path = directory / str(name)
    if named and path.is_symlink():
        raise DelegateError(
            f"delegate {backend!r} returned {name!r} from {hook}, which is a symbolic link to "
            f"{str(path.readlink())!r}",
            hint="let it write a file",
        )
    if not named or not path.exists():
        raise DelegateError(
            f"delegate {backend!r} returned {name!r} from {hook}, but there is no such file"
        )
    if path.suffix == ".whl":
        if not path.is_file() or path.lstat().st_nlink > 1:
            raise DelegateError(
                f"delegate {backend!r} returned {name!r} from {hook}, which is not a file of its "
                "own",
                hint="let it write a new file",
            )
        path.chmod(path.stat().st_mode | 0o600)  # some delegates write it read-only
        for other in sorted(directory.glob("*.whl")):
            if other != path:
                delegate.reporter.warning(
                    f"delegate {backend!r} wrote {other.name} besides {name}, which it returned: "
                    "only that one is published"
                )
    return path
