"""`variantbuild cache`: show or clear the build cache, refused wheels and build directories."""

from __future__ import annotations

import argparse
import datetime
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import cast

from variantbuild.buildcache.refused import read_record, refused_store, tree_store
from variantbuild.buildcache.store import Entry, Store, default_store
from variantbuild.cli.terminal import paragraph, print_json, table
from variantbuild.delegate.treebuilds import TreeBuild, find_builds, remove_builds
from variantbuild.delegate.treelock import take_turn
from variantbuild.messages import StderrReporter
from variantbuild.types import JSONValue
from variantbuild.values import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class _Part:
    """Entries of one kind: where they are, and those that are shown or removed."""

    title: str
    store: Store
    entries: tuple[Entry, ...]


def configure_parser(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of `cache`."""
    parser.add_argument("action", choices=("info", "clear"), help="show the entries, or remove all")
    parser.add_argument(
        "--tree",
        nargs="?",
        const=".",
        metavar="SRC",
        help="only what builds of the source tree SRC (.) left: its build/variantbuild-* "
        "directories, and its refused wheels",
    )
    parser.add_argument("--json", action="store_true", help="machine-readable output")


def execute(args: argparse.Namespace, env: Mapping[str, str]) -> int:
    """Show what builds keep for later builds, or remove it."""
    tree = None if args.tree is None else Path(args.tree).resolve()
    builds = () if tree is None else find_builds(tree)
    parts = _parts(env, tree)
    if args.action == "clear":
        _clear(parts, builds, tree)
    if args.json:
        print_json(_describe(parts, builds, removed=args.action == "clear", env=env))
    elif args.action == "clear":
        _print_removed(parts, builds)
    else:
        print(_for_people(parts, builds))
    return 0


def _parts(env: Mapping[str, str], tree: Path | None) -> tuple[_Part, ...]:
    """Return the stores with their entries: all, or those that come from one source tree."""
    refused = refused_store(env)
    stores = [] if refused is None else [refused]
    if tree is None:
        cached = default_store(env)
        first = _Part(title="build cache", store=cached, entries=tuple(cached.entries()))
        kept = (_Part(title="refused wheels", store=s, entries=tuple(s.entries())) for s in stores)
        return (first, *kept)
    parts: list[_Part] = []
    for store in (*stores, tree_store(tree)):
        own = tuple(each for each in store.entries() if _comes_from(store, each, tree))
        if own or not parts:
            parts.append(_Part(title="refused wheels", store=store, entries=own))
    return tuple(parts)


def _comes_from(store: Store, entry: Entry, tree: Path) -> bool:
    try:
        return Path(str(read_record(store.directory / entry.key)["tree"])) == tree
    except (OSError, ValueError, KeyError):
        return False


def _clear(parts: Sequence[_Part], builds: tuple[TreeBuild, ...], tree: Path | None) -> None:
    if tree is None:
        for part in parts:
            part.store.clear()
        return
    with take_turn(tree, os.environ, StderrReporter({})):
        for part in parts:
            for entry in part.entries:
                part.store.remove(entry.key)
        remove_builds(builds)
        left = tree_store(tree).directory
        if left.is_dir() and not left.is_symlink() and not any(left.iterdir()):
            left.rmdir()


def _describe(
    parts: Sequence[_Part],
    builds: Sequence[TreeBuild],
    *,
    removed: bool,
    env: Mapping[str, str],
) -> dict[str, JSONValue]:
    """Return the value of cache.schema.json."""
    entries = [(part, entry) for part in parts for entry in part.entries]
    return {
        "version": 1,
        "folder": str(default_store(env).directory),
        "limit": default_store(env).limit,
        "size": sum(entry.size for _, entry in entries) + sum(each.size for each in builds),
        "removed": len(entries) + len(builds) if removed else 0,
        "entries": []
        if removed
        else [
            {
                "key": entry.key,
                "kind": "refused" if part.title == "refused wheels" else "wheel",
                "wheel": entry.wheel.name,
                "path": str(entry.wheel),
                "size": entry.size,
                "used": int(entry.used),
            }
            for part, entry in entries
        ],
        "builds": []
        if removed
        else cast("JSONValue", [{"path": str(each.path), "size": each.size} for each in builds]),
    }


def _print_removed(parts: Sequence[_Part], builds: Sequence[TreeBuild]) -> None:
    for part in parts:
        count = _count(len(part.entries), "wheel")
        print(f"{part.title}: {count} removed from {part.store.directory}")
    for each in builds:
        print(f"removed {each.path} ({_mib(each.size)})")


def _for_people(parts: Sequence[_Part], builds: Sequence[TreeBuild]) -> str:
    lines = []
    for part in parts:
        size = sum(entry.size for entry in part.entries)
        count = _count(len(part.entries), "wheel")
        limit = f"{part.store.limit >> 20} MiB"
        where = part.store.directory
        lines.append(paragraph(f"{part.title}: {count}, {_mib(size)} of {limit}, in {where}"))
        rows = [
            (
                datetime.datetime.fromtimestamp(entry.used).strftime("%Y-%m-%d %H:%M"),
                _mib(entry.size),
                f"{entry.key}/{entry.wheel.name}"
                if part.title == "refused wheels"
                else entry.wheel.name,
            )
            for entry in reversed(part.entries)
        ]
        lines += [table(rows, indent=2, names={2})] if rows else []
    if builds:
        lines.append(f"build directories: {len(builds)}, {_mib(sum(each.size for each in builds))}")
        lines.append(
            table([(_mib(each.size), str(each.path)) for each in builds], indent=2, names={1})
        )
    return "\n".join(lines)


def _mib(size: int) -> str:
    return f"{size / 2**20:.1f} MiB" if size >= 1 << 20 else f"{-(-size // 1024)} KiB"


def _count(number: int, noun: str) -> str:
    return f"1 {noun}" if number == 1 else f"{number} {noun}s"
