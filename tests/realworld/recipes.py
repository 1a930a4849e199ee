"""The table of packages: what is built, from which sdist, and how it is checked."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import cast

HERE = Path(__file__).resolve().parent

#: What every package is built for. `native` is the exact microarchitecture of this machine.
TARGETS = ("v1", "v3", "native")


@dataclass(frozen=True, kw_only=True, slots=True)
class Recipe:
    """One row of packages.toml.

    `project` is the name on the index, `sha256` the digest of its sdist; `kind` is what the package
    is an example of. `apt` are Debian packages that the build needs, `env` variables set for it,
    `install` distributions that the check needs in addition to the package's requirements.
    `refused` contains a part of the expected error for each target that must be refused,
    `explained` the reason; `done` says what the build needs in addition to the target. `loop` is
    true if the script has a hot loop to time. `subset` marks the packages that the tests build,
    `bundle` those that bundles.py bundles.
    """

    name: str
    project: str
    version: str
    sha256: str
    kind: str
    apt: tuple[str, ...] = ()
    env: Mapping[str, str]
    install: tuple[str, ...] = ()
    refused: Mapping[str, str]
    explained: str = ""
    done: str = ""
    loop: bool = False
    subset: bool = False
    bundle: bool = False

    @property
    def script(self) -> Path:
        """The script that checks the installed package, and times it where it has a loop."""
        return HERE / "projects" / f"{self.project.replace('-', '_')}.py"


def load_recipes() -> dict[str, Recipe]:
    """Return every row of packages.toml by name, in the order of the file."""
    if sys.version_info >= (3, 11):
        import tomllib
    else:
        import tomli as tomllib
    table = tomllib.loads((HERE / "packages.toml").read_text(encoding="utf-8"))
    return {name: _recipe(name, row) for name, row in table.items()}


def _recipe(name: str, row: Mapping[str, object]) -> Recipe:
    def text(key: str, default: str = "") -> str:
        return str(row.get(key, default))

    def words(key: str) -> tuple[str, ...]:
        return tuple(cast("list[str]", row.get(key, [])))

    def table(key: str) -> Mapping[str, str]:
        return cast("dict[str, str]", row.get(key, {}))

    return Recipe(
        name=name,
        project=text("project", name),
        version=text("version"),
        sha256=text("sha256"),
        kind=text("kind"),
        apt=words("apt"),
        env=table("env"),
        install=words("install"),
        refused=table("refused"),
        explained=text("explained"),
        done=text("done"),
        loop=bool(row.get("loop")),
        subset=bool(row.get("subset")),
        bundle=bool(row.get("bundle")),
    )
