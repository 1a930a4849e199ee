"""Keeps wheels that were built and then refused, so that the build need not run again.

An entry contains the delegate's wheel, and what it was built from: the same build under another
policy continues from it. Entries are in the user's cache directory, since front ends build in
temporary trees, else in `build` of the source tree.
"""

from __future__ import annotations

import contextlib
import json
import shutil
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple, cast

from variantbuild.buildcache.installed import visible_distributions
from variantbuild.buildcache.kepthint import with_hint
from variantbuild.buildcache.key import digest_parts, environment_parts
from variantbuild.buildcache.snapshot import (
    Snapshot,
    digest_sources,
    refers_outside,
    take_snapshot,
)
from variantbuild.buildcache.store import ENTRY, Store, digest_file
from variantbuild.config.canonical import canonical_settings, digest_json
from variantbuild.data import load_table
from variantbuild.errors import VariantBuildError, WheelError
from variantbuild.host.userdirs import user_directory
from variantbuild.messages import Reporter
from variantbuild.plan import BuildPlan
from variantbuild.plan.digest import digest_compilation
from variantbuild.types import JSONValue
from variantbuild.values import dataclass

#: Where entries are in a source tree if the user has no cache directory.
IN_TREE = Path("build", "variantbuild-refused")
_DAY = 86400.0


class KeptBuild(NamedTuple):
    """A copy of a wheel that was refused, and the CPU options that its build replaced."""

    wheel: Path
    replaced: tuple[str, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Attempt:
    """A build that may be refused: its plan, and the files of its tree before it ran.

    Its wheel is kept in the first of `stores` that can be used.
    """

    plan: BuildPlan
    env: Mapping[str, str]
    before: Snapshot
    stores: tuple[Store, ...]

    @property
    def _prefix(self) -> str:
        return digest_compilation(self.plan)[:12]

    def resume(self, directory: Path, reporter: Reporter) -> KeptBuild | None:
        """Copy the wheel of the same build into `directory`, if it was refused; return it.

        None unless one was refused under another policy, and nothing has changed since.
        """
        for store in self.stores:
            for entry in self._entries(store):
                with contextlib.suppress(OSError, ValueError, KeyError, TypeError, WheelError):
                    store.check_owner()
                    record = read_record(entry)
                    if self._fits(record):
                        name = entry_name(record)
                        copied = Path(shutil.copyfile(entry / name, directory / name))
                        if digest_file(copied) == record["sha256"]:
                            reporter.warning(
                                f"nothing is compiled: the wheel of the same build, refused on "
                                f"{_when(record)}, is used: {entry / name}"
                            )
                            return KeptBuild(copied, _replaced(record))
        return None

    def _entries(self, store: Store) -> list[Path]:
        """Return the entries of this build; none if the directory cannot be read."""
        with contextlib.suppress(OSError):
            return sorted(store.directory.glob(f"{self._prefix}-*"))
        return []

    def forget(self) -> None:
        """Remove the wheels of this build, which has succeeded now."""
        for store in self.stores:
            for entry in self._entries(store):
                store.remove(entry.name)

    def keep(
        self, wheel: Path, error: VariantBuildError, replaced: Sequence[str] = ()
    ) -> VariantBuildError:
        """Keep the refused `wheel`; return `error` with its place and what to do with it.

        `replaced` are the project's own CPU options that its build replaced.
        """
        if not wheel.is_file():
            return error
        record = {**self._describe(error), "replaced": list(replaced)}
        same = {key: str(record[key]) for key in ("sources", "policy")}
        name = f"{self._prefix}-{digest_parts(same)[:8]}"
        failure = ""
        for store in self.stores:
            try:
                expire(store)
                store.remove(name)
                store.store(name, wheel, {}, more=record)
            except (OSError, VariantBuildError) as problem:
                failure = failure or str(problem)
                continue
            place = store.directory / name / wheel.name
            return with_hint(error, place, resumable=bool(record["sources"]), failure=failure)
        return with_hint(error, None, failure=failure)

    def _describe(self, error: VariantBuildError) -> dict[str, JSONValue]:
        sources: list[JSONValue] = []
        environment = ""
        # Without both, which a file that vanishes prevents, the wheel is kept, but not reused.
        with contextlib.suppress(OSError, VariantBuildError):
            environment = self._environment()
            sources.extend(self._sources())
        return {
            "sources": sources,
            "environment": environment,
            "policy": _policy(self.plan),
            "tree": str(self.plan.project.path),
            "refused": error.message,
            "time": int(time.time()),
        }

    def _sources(self) -> tuple[str, ...]:
        """Return the digests of the tree that stand for this build; none if the tree changed."""
        tree = self.plan.project.path
        after = take_snapshot(tree)
        unchanged = all(after.get(name) == status for name, status in self.before.items())
        if not unchanged or refers_outside(tree):
            return ()
        # An unpacked copy has the files before the build, this tree has those after it.
        found = dict.fromkeys(digest_sources(tree, names) for names in (self.before, after))
        return tuple(found)

    def _fits(self, record: Mapping[str, JSONValue]) -> bool:
        sources = record["sources"]
        if not isinstance(sources, list) or not sources or record["policy"] == _policy(self.plan):
            return False
        if record["environment"] != self._environment():
            return False
        tree = self.plan.project.path
        return digest_sources(tree, take_snapshot(tree)) in sources

    def _environment(self) -> str:
        parts = environment_parts(self.plan, self.env, visible_distributions())
        return digest_parts({**parts, "plan": digest_compilation(self.plan)})


def begin_attempt(
    plan: BuildPlan, env: Mapping[str, str], stores: tuple[Store, ...] | None = None
) -> Attempt:
    """Return the build of `plan`, which is about to run; `stores` are the user's and the tree's."""
    try:
        before = take_snapshot(plan.project.path)
    except OSError:
        before = {"?": (0, 0, 0)}  # a file that vanishes: the tree changes during the build
    # A copy: the delegate may change the environment.
    if stores is None:
        stores = _stores(env, plan.project.path)
    return Attempt(plan=plan, env=dict(env), before=before, stores=stores)


def refused_store(env: Mapping[str, str]) -> Store | None:
    """Return the store of refused wheels in the user's cache directory; None if that is unknown."""
    base = user_directory("cache", env)
    return None if base is None else _store(base / "variantbuild" / "refused")


def tree_store(tree: Path) -> Store:
    """Return the store of refused wheels in the source tree `tree`."""
    return _store(tree / IN_TREE)


def read_record(entry: Path) -> Mapping[str, JSONValue]:
    """Return what is recorded of the entry; raises OSError and ValueError."""
    return cast("Mapping[str, JSONValue]", json.loads((entry / ENTRY).read_text("utf-8")))


def entry_name(record: Mapping[str, JSONValue]) -> str:
    """Return the file name of the wheel that a record is about."""
    return Path(str(record["name"])).name


def expire(store: Store) -> None:
    """Remove the entries that have not been used for longer than the table says."""
    days = cast("int", load_table("buildcache")["refused-days"])
    for entry in store.entries():
        if time.time() - entry.used > days * _DAY:
            store.remove(entry.key)


def _stores(env: Mapping[str, str], tree: Path) -> tuple[Store, ...]:
    home = refused_store(env)
    return (tree_store(tree),) if home is None else (home, tree_store(tree))


def _store(directory: Path) -> Store:
    limit = cast("int", load_table("buildcache")["refused-limit"])
    return Store(directory=directory, limit=limit)


def _replaced(record: Mapping[str, JSONValue]) -> tuple[str, ...]:
    listed = record.get("replaced")
    return tuple(map(str, listed)) if isinstance(listed, list) else ()


def _policy(plan: BuildPlan) -> str:
    settings = canonical_settings(plan.project.config)
    return digest_json([settings, plan.naming.local, plan.naming.form])


def _when(record: Mapping[str, JSONValue]) -> str:
    seconds = record["time"]
    at = time.localtime(seconds if isinstance(seconds, int) else 0)
    return time.strftime("%Y-%m-%d %H:%M", at)
