"""`variantbuild cache`: show or clear the build cache."""

from __future__ import annotations

import argparse
import datetime
from collections.abc import Mapping

from variantbuild.buildcache.store import Entry, Store, default_store
from variantbuild.cli.terminal import print_json, table
from variantbuild.types import JSONValue


def configure_parser(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of `cache`."""
    parser.add_argument("action", choices=("info", "clear"), help="show the entries, or remove all")
    parser.add_argument("--json", action="store_true", help="machine-readable output")


def execute(args: argparse.Namespace, env: Mapping[str, str]) -> int:
    """Show the entries of this user's build cache, or remove them."""
    store = default_store(env)
    entries = store.entries()
    removed = store.clear() if args.action == "clear" else 0
    if args.json:
        print_json(_describe(store, [] if removed else entries, removed))
    elif args.action == "clear":
        print(f"{_count(removed)} removed from {store.directory}")
    else:
        print(_for_people(store, entries))
    return 0


def _describe(store: Store, entries: list[Entry], removed: int) -> dict[str, JSONValue]:
    return {
        "version": 1,
        "folder": str(store.directory),
        "limit": store.limit,
        "size": sum(entry.size for entry in entries),
        "removed": removed,
        "entries": [
            {"key": each.key, "wheel": each.wheel.name, "size": each.size, "used": int(each.used)}
            for each in entries
        ],
    }


def _for_people(store: Store, entries: list[Entry]) -> str:
    size = sum(entry.size for entry in entries) / 2**20
    head = f"{store.directory}: {_count(len(entries))}, {size:.1f} of {store.limit >> 20} MiB"
    rows = [
        (
            datetime.datetime.fromtimestamp(entry.used).strftime("%Y-%m-%d %H:%M"),
            f"{entry.size / 2**20:.1f} MiB",
            entry.wheel.name,
        )
        for entry in reversed(entries)
    ]
    return f"{head}\n{table(rows)}" if rows else head


def _count(wheels: int) -> str:
    return "1 wheel" if wheels == 1 else f"{wheels} wheels"
