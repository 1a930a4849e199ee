"""Compares bills of materials (PEP 770): each build gives its own a number and a time.

maturin writes one for every Rust project. Its identifiers contain the path of the source tree.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from typing import cast

from variantbuild.types import JSONValue

#: What tells one document from another of the same contents: CycloneDX 1.6 and SPDX 2.3.
_OWN = frozenset({"serialNumber", "timestamp", "created", "documentNamespace"})
#: Keys that declare an identifier, which has a meaning inside of its document only.
_IDENTIFIERS = frozenset({"bom-ref"})


def digest_bom(data: bytes) -> str | None:
    """Return a digest of what a document lists; None if it is not JSON in CycloneDX or SPDX."""
    try:
        document = cast("JSONValue", json.loads(data))
    except (ValueError, RecursionError):
        return None
    if not isinstance(document, Mapping) or not {"bomFormat", "spdxVersion"} & document.keys():
        return None
    numbers: dict[str, str] = {}
    for name in _identifiers(document):
        numbers.setdefault(name, f"#{len(numbers)}")
    text = json.dumps(_plain(document, numbers), sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


def _identifiers(value: JSONValue) -> Iterator[str]:
    if isinstance(value, Mapping):
        for key, inside in value.items():
            if key in _IDENTIFIERS and isinstance(inside, str):
                yield inside
            else:
                yield from _identifiers(inside)
    elif isinstance(value, list):
        for inside in value:
            yield from _identifiers(inside)


def _plain(value: JSONValue, numbers: Mapping[str, str]) -> JSONValue:
    if isinstance(value, Mapping):
        kept = {key: inside for key, inside in value.items() if key not in _OWN}
        return {key: _plain(inside, numbers) for key, inside in kept.items()}
    if isinstance(value, list):
        return [_plain(inside, numbers) for inside in value]
    return numbers.get(value, value) if isinstance(value, str) else value
