"""The hint of the error that refuses a wheel: where the wheel is kept, and what to do with it."""

from __future__ import annotations

from pathlib import Path

from variantbuild.errors import VariantBuildError


def with_hint(
    error: VariantBuildError, place: Path | None, *, resumable: bool = False, failure: str = ""
) -> VariantBuildError:
    """Return `error` with a hint that says where the wheel is."""
    if place is None:
        lines = [f"the built wheel could not be kept: {failure}"]
    else:
        lines = [
            f"the built wheel is kept: {place}",
            "`variantbuild audit` shows what its files need; `variantbuild stamp` with a --target "
            "that they fit labels it",
        ]
        if failure:
            lines.append(f"it is not in the cache directory: {failure}")
    if resumable:
        lines.append(
            "the same build under another policy (-C variantbuild.audit=warn) continues from it "
            "without compiling again"
        )
    made = type(error).__new__(type(error))
    made.__dict__.update(error.__dict__)
    made.args = error.args
    made.hint = "\n  ".join([*([error.hint] if error.hint else []), *lines])
    return made
