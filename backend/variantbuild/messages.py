"""What hooks say to people while they build; front ends show it or keep it for a failure."""

from __future__ import annotations

import sys


def say(message: str, kind: str = "note") -> None:
    """Print one sentence to standard error, as a `note` or a `warning`."""
    print(f"variantbuild: {kind}: {message}", file=sys.stderr, flush=True)
