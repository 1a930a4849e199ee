"""Summarises what decoding found in a file: a demand for each feature, for any machine."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from variantbuild.audit.report import Code, Demand, Path

_MOST_PATHS = 8


def summarize(
    *,
    decoder: str,
    size: int,
    guard: str | None,
    counts: Mapping[str, int],
    paths: Iterable[Path],
    obscure: tuple[str, ...],
    level_of: Callable[[str], str | None],
) -> Code:
    """Return the result for a file of which `counts` functions use each feature.

    `paths` lead to the uses that no dispatch check guards, or that may not be guarded. Those that
    are certain come first.
    """
    by_feature: dict[str, list[Path]] = {name: [] for name in counts}
    for path in sorted(paths, key=lambda each: (not each.certain, len(each.given))):
        by_feature.setdefault(path.feature, []).append(path)
    return Code(
        decoder=decoder,
        size=size,
        guard=guard,
        demands=tuple(
            Demand(
                feature=name,
                level=level_of(name),
                count=counts.get(name, 0),
                paths=tuple(found[:_MOST_PATHS]),
            )
            for name, found in sorted(by_feature.items())
        ),
        obscure=obscure,
    )
