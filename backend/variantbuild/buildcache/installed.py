"""The distributions that a build can import, each with a digest of its files."""

from __future__ import annotations

import json
from email.message import Message
from email.parser import HeaderParser
from importlib.metadata import Distribution, distributions
from pathlib import Path
from typing import cast
from urllib.parse import unquote, urlsplit

from variantbuild.buildcache.snapshot import take_snapshot
from variantbuild.config.canonical import digest_json
from variantbuild.data import load_table


def visible_distributions() -> list[tuple[str, str]]:
    """Return name and version of every distribution that this process can import.

    A digest of its files, as RECORD lists them, is appended to the version: two builds of one
    version may differ.
    """
    return [
        (str(headers["Name"]), f"{headers['Version']} {_digest(each)}")
        for each in distributions()
        for headers in (_headers(each),)
    ]


def _headers(distribution: Distribution) -> Message:
    """Return the metadata of a distribution without its description; empty if it has none.

    `Distribution.metadata` parses the description as well, on each access, which makes up most of
    the time. The files are those that it reads, the last of them an .egg-info that is a file.
    """
    names = ("METADATA", "PKG-INFO", "")
    text = next(filter(None, map(distribution.read_text, names)), "")
    return HeaderParser().parsestr(text.partition("\n\n")[0])


def _digest(distribution: Distribution) -> str:
    """Return a digest of the files of a distribution, as far as it has a RECORD.

    Scripts contain the path of the interpreter, and installers add files of their own: these differ
    in each environment. The files of an editable one are those of its source tree, by size and
    time.
    """
    text = distribution.read_text("RECORD") or ""
    written = tuple(cast("list[str]", load_table("buildcache")["installers"]))
    rows = sorted(
        row
        for row in text.split("\n")
        if ",sha" in row
        and not row.startswith("../")
        and not row.partition(",")[0].endswith(written)
    )
    tree = _editable_tree(distribution.read_text("direct_url.json") or "")
    files = () if tree is None else sorted(take_snapshot(tree).items())
    return digest_json(["\n".join(rows), files])[:16]


def _editable_tree(text: str) -> Path | None:
    """Return the source tree of an editable distribution from its direct_url.json (PEP 610)."""
    try:
        record = json.loads(text)
        if not record["dir_info"]["editable"]:
            return None
        tree = Path(unquote(urlsplit(str(record["url"])).path))
    except (ValueError, KeyError, TypeError):
        return None
    return tree if tree.is_dir() else None
