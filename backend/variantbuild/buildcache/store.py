"""The entries of the build cache on disk.

An entry is a directory named by its key, with the wheel and a record of it. It is created in a
staging directory and renamed when complete, so no process ever sees an incomplete one; no lock on
the cache is needed, and a rename is atomic on NFS too. An entry is verified before it is used.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import cast

from variantbuild.data import load_table
from variantbuild.errors import WheelError
from variantbuild.host.ownership import distrust, distrust_new, make_private
from variantbuild.host.staging import staging_directory
from variantbuild.host.userdirs import user_directory
from variantbuild.messages import Reporter
from variantbuild.types import JSONValue
from variantbuild.values import dataclass

#: The record of an entry.
ENTRY = "entry.json"
_CHUNK = 1 << 20


@dataclass(frozen=True, kw_only=True, slots=True)
class Entry:
    """A stored wheel: its path, size in bytes, and the time of its last use (Unix time)."""

    key: str
    wheel: Path
    size: int
    used: float


@dataclass(frozen=True, kw_only=True, slots=True)
class Kept:
    """A wheel that was found: its path, the SHA-256 of its bytes, and the libraries it links to."""

    wheel: Path
    sha256: str
    libraries: Mapping[str, str]


@dataclass(frozen=True, kw_only=True, slots=True)
class Store:
    """A directory of entries; `limit` is that of their total size, in bytes."""

    directory: Path
    limit: int

    def find(self, key: str, reporter: Reporter) -> Kept | None:
        """Return the wheel of `key`; None if there is none.

        An entry whose content is not what was stored is removed, with a warning. Raises WheelError
        if the directory belongs to another user.
        """
        entry = self.directory / key
        if not entry.exists():
            return None
        self.check_owner()
        try:
            record = cast("dict[str, JSONValue]", json.loads((entry / ENTRY).read_text("utf-8")))
            wheel = entry / Path(str(record["name"])).name
            libraries = cast("Mapping[str, str]", record["libraries"])
            sha256 = str(record["sha256"])
            sound = digest_file(wheel) == sha256 and isinstance(libraries, dict)
            if sound:
                _verify(wheel)
        except (OSError, ValueError, KeyError, TypeError, WheelError):
            sound = False
        if not sound:
            reporter.warning(f"removed a damaged entry from the build cache: {entry}")
            self._remove(entry)
            return None
        with contextlib.suppress(OSError):
            os.utime(entry)
        return Kept(wheel=wheel, sha256=sha256, libraries=libraries)

    def store(
        self,
        key: str,
        wheel: Path,
        libraries: Mapping[str, str],
        more: Mapping[str, JSONValue] | None = None,
    ) -> None:
        """Keep a copy of `wheel` under `key`, and remove the least recently used beyond the limit.

        `more` is added to the record.
        Raises OSError if writing fails, and WheelError if the directory is not this user's own.
        """
        reason = distrust_new(self.directory)
        if reason is not None:
            raise WheelError(
                f"the build cache {self.directory} is not created: {reason}",
                hint="set HOME, or XDG_CACHE_HOME, to a directory of yours",
            )
        make_private(self.directory)
        self.check_owner()
        with staging_directory(self.directory) as staging:
            new = staging / "entry"
            new.mkdir()
            shutil.copyfile(wheel, new / wheel.name)
            record: dict[str, JSONValue] = {
                **(more or {}),
                "name": wheel.name,
                "sha256": digest_file(new / wheel.name),
                "libraries": dict(libraries),
            }
            (new / ENTRY).write_text(json.dumps(record, indent=1), encoding="utf-8")
            for name in (wheel.name, ENTRY):
                with (new / name).open("rb") as stream:
                    os.fsync(stream.fileno())
            try:
                new.rename(self.directory / key)
            except OSError:
                # If another process was faster its entry is kept: the two are the same.
                if not (self.directory / key).exists():
                    raise
        self._evict(keep=key)

    def remove(self, key: str) -> None:
        """Remove the entry of `key`, if there is one."""
        self._remove(self.directory / key)

    def entries(self) -> list[Entry]:
        """Return every entry, the least recently used first.

        Raises WheelError if the cache is not a directory or cannot be read.
        """
        found = []
        for directory in self._directories():
            with contextlib.suppress(OSError, StopIteration):
                wheel = next(directory.glob("*.whl"))
                size = sum(path.stat().st_size for path in directory.iterdir())
                used = directory.stat().st_mtime
                found.append(Entry(key=directory.name, wheel=wheel, size=size, used=used))
        return sorted(found, key=lambda entry: (entry.used, entry.key))

    def clear(self) -> int:
        """Remove all entries and all leftovers of unfinished ones; return how many there were.

        Raises WheelError if the directory is not this user's own, or an entry cannot be removed.
        """
        keys = {entry.key for entry in self.entries()}
        if self.directory.is_dir():
            self.check_owner()
            for directory in list(self.directory.iterdir()):
                self._remove(directory)
            left = sum(entry.key in keys for entry in self.entries())
            if left:
                raise WheelError(
                    f"{left} of {len(keys)} wheels in {self.directory} cannot be removed",
                    hint="make the directory writable (chmod u+rwx)",
                )
        return len(keys)

    def _directories(self) -> Iterator[Path]:
        try:
            for directory in self.directory.iterdir():
                if not directory.name.startswith(".") and directory.is_dir():
                    yield directory
        except FileNotFoundError:
            return
        except OSError as error:
            raise WheelError(
                f"the build cache {self.directory} cannot be read: {error.strerror}",
                hint="remove it, or set XDG_CACHE_HOME to another directory",
            ) from None

    def _evict(self, keep: str) -> None:
        entries = self.entries()
        total = sum(entry.size for entry in entries)
        for entry in entries:
            if total <= self.limit:
                break
            if entry.key != keep:
                self._remove(self.directory / entry.key)
                total -= entry.size

    def _remove(self, entry: Path) -> None:
        """Move an entry out of sight in one step, and then delete its files."""
        with (
            contextlib.suppress(OSError, WheelError),
            staging_directory(self.directory) as staging,
        ):
            entry.rename(staging / "entry")

    def check_owner(self) -> None:
        """Refuse a directory into which others could put wheels; raises WheelError."""
        reason = distrust(self.directory)
        if reason is not None:
            raise WheelError(
                f"the build cache {self.directory} is not used: {reason}",
                hint="make it private (chmod go-w), or set XDG_CACHE_HOME to a directory of yours",
            )


def default_store(env: Mapping[str, str], platform: str = sys.platform) -> Store:
    """Return the store in the user's cache directory; raises WheelError if that is not known."""
    base = user_directory("cache", env, platform)
    if base is None:
        raise WheelError(
            "the build cache has no directory: the home directory of this user is not known",
            hint="set HOME, or XDG_CACHE_HOME to an absolute path",
        )
    limit = cast("int", load_table("buildcache")["limit"])
    return Store(directory=base / "variantbuild" / "wheels", limit=limit)


def _verify(path: Path) -> None:
    from variantbuild.stamp.exemptions import exemptions
    from variantbuild.wheel import open_wheel, verify_wheel

    with open_wheel(path) as wheel:
        verify_wheel(wheel, exempt=exemptions())


def digest_file(path: Path) -> str:
    """Return the SHA-256 of a file, in hexadecimal."""
    state = hashlib.sha256()
    with path.open("rb") as stream:
        while chunk := stream.read(_CHUNK):
            state.update(chunk)
    return state.hexdigest()
