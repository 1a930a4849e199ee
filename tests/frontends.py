"""Sources for tests of front ends: one project in every form that users install from.

`serve` makes a directory an index over HTTP, `lay_out_index` puts files into one, `Table` collects
the result of each route.
"""

from __future__ import annotations

import functools
import hashlib
import http.server
import os
import re
import shutil
import threading
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

HEAD = ("front end", "route", "installed", "level of the loaded code")


@dataclass
class Table:
    """The result of each row, printed at the end of the session."""

    rows: list[tuple[str, str, str, str]] = field(default_factory=list)

    def __str__(self) -> str:
        lines = [HEAD, *self.rows]
        widths = [max(len(line[i]) for line in lines) for i in range(4)]
        return "\n".join(
            "  ".join(text.ljust(width) for text, width in zip(line, widths, strict=True)).rstrip()
            for line in lines
        )


@dataclass(frozen=True)
class Sources:
    """The same project as tree, sdist, index and repository; `app` depends on it."""

    tree: Path
    sdist: Path
    index: str
    repository: Path
    app: Path

    @property
    def digest(self) -> str:
        return hashlib.sha256(self.sdist.read_bytes()).hexdigest()


def lay_out_index(directory: Path, files: Iterable[Path]) -> None:
    """Link `files` into a simple index (PEP 503): a directory for each project's normal name."""
    for file in files:
        name = re.sub(r"[-_.]+", "-", file.name.partition("-")[0]).lower()
        place = directory / name
        place.mkdir(parents=True, exist_ok=True)
        try:
            os.link(file, place / file.name)
        except OSError:
            shutil.copy(file, place)


class serve:  # noqa: N801 - used like a function
    """Serve a directory over HTTP while the block lasts."""

    def __init__(self, directory: Path) -> None:
        handler = functools.partial(_Quiet, directory=str(directory))
        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)

    def __enter__(self) -> str:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return f"http://127.0.0.1:{self._server.server_port}/"

    def __exit__(self, *error: object) -> None:
        self._server.shutdown()
        self._server.server_close()


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        """Print nothing: only the test's output counts."""
