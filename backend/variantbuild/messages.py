"""Messages to the user of a build: the reporter that stages are handed, and the one that prints."""

from __future__ import annotations

import sys
from typing import Protocol


class Reporter(Protocol):
    """Receives what a stage tells the user while it works."""

    def note(self, message: str) -> None:
        """Report a fact that the user may want to know."""

    def warning(self, message: str) -> None:
        """Report a problem that does not stop the work."""


class StderrReporter:
    """Prints each message as one line on standard error, where front ends show or keep it."""

    def note(self, message: str) -> None:
        """Print a `note` line."""
        _print_line("note", message)

    def warning(self, message: str) -> None:
        """Print a `warning` line."""
        _print_line("warning", message)

    def error(self, message: str) -> None:
        """Print an `error` line."""
        _print_line("error", message)


def _print_line(kind: str, message: str) -> None:
    print(f"variantbuild: {kind}: {message}", file=sys.stderr, flush=True)
