"""The build cache through pip: a second install compiles nothing, another CPU level does."""

from __future__ import annotations

from pathlib import Path

import pytest

from workshop import Environment, run

pytestmark = [pytest.mark.compile, pytest.mark.isolated]


@pytest.fixture
def links(environment: Environment, setuptools_c: Path, tmp_path: Path) -> Path:
    out = tmp_path / "sdists"
    command = (environment.uv, "build", "-q", "--sdist", "-o", out, setuptools_c)
    run(*command, cwd=tmp_path, env=environment.env).ok()
    return out


def install(environment: Environment, links: Path, level: str, **env: str) -> str:
    environment.pip("uninstall", "-q", "-y", "whatami")
    variables = {**environment.env, **env, "VARIANTBUILD_CPU": level}
    words = ("-v", "--no-cache-dir", "--no-binary", "whatami", "--find-links", links, "whatami")
    pip = (environment.python, "-m", "pip", "install")
    done = run(*pip, *words, cwd=environment.directory, env=variables).ok()
    assert environment.compiled_for("whatami")["level"] == level
    return done.output


def test_twice(environment: Environment, links: Path, host_level: str) -> None:
    on = {"VARIANTBUILD_BUILD_CACHE": "true"}
    assert "building 'whatami' extension" in install(environment, links, "v2", **on)
    again = install(environment, links, "v2", **on)
    assert "taken from the build cache: " in again
    assert "building 'whatami' extension" not in again
    other = "v3" if host_level in ("v3", "v4") else "v1"
    assert "building 'whatami' extension" in install(environment, links, other, **on)
    assert "taken from the build cache: " in install(environment, links, "v2", **on)
    # With other flags, and with the cache turned off, the wheel is built again.
    assert "building 'whatami'" in install(environment, links, "v2", CFLAGS="-DUSER_DEFINE=3", **on)
    assert "building 'whatami' extension" in install(environment, links, "v2")


def test_a_cache_that_cannot_be_written_stops_nothing(
    environment: Environment, links: Path, tmp_path: Path
) -> None:
    blocked = tmp_path / "blocked"
    blocked.write_bytes(b"")
    on = {"VARIANTBUILD_BUILD_CACHE": "true", "XDG_CACHE_HOME": str(blocked)}
    said = install(environment, links, "v2", **on)
    assert said.count("is not stored in the build cache") == 1


def test_a_tree_is_never_kept(environment: Environment, setuptools_c: Path) -> None:
    for _ in range(2):
        done = environment.pip(
            "install", "-v", "--force-reinstall", setuptools_c,
            VARIANTBUILD_CPU="v2", VARIANTBUILD_BUILD_CACHE="true",
        ).ok()  # fmt: skip
        assert "taken from the build cache" not in done.output
    assert not Path(environment.env["XDG_CACHE_HOME"], "variantbuild", "wheels").exists()
