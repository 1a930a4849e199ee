"""What pyproject.toml puts into the wheel."""

from __future__ import annotations

import sys
from typing import cast

from contributing import ROOT

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib


def test_every_package_is_put_into_the_wheel() -> None:
    table = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    listed = cast("list[str]", table["tool"]["setuptools"]["packages"])

    backend = ROOT / "backend"
    found = {
        ".".join(path.parent.relative_to(backend).parts) for path in backend.rglob("__init__.py")
    }
    assert sorted(found | {"variantbuild.cmake"}) == listed
