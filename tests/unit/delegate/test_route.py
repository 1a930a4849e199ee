"""Where the compiler wrappers are written."""

from __future__ import annotations

from pathlib import Path

import pytest

from variantbuild.delegate import route
from variantbuild.delegate.handover.wrapper import Wrapper
from variantbuild.errors import DelegateError

WRAPPERS = (Wrapper(name="gcc", command=("/usr/bin/env", "gcc"), language="c", family="gcc"),)


def test_directory_of_the_build(tmp_path: Path) -> None:
    place = tmp_path / "compilers"
    env = {"XDG_CACHE_HOME": str(tmp_path / "cache")}
    assert route._write_where_they_run(WRAPPERS, place, env) == place
    assert not (tmp_path / "cache").exists()


def test_cache_where_nothing_may_be_executed_beside_the_build(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache = tmp_path / "cache"
    env = {"XDG_CACHE_HOME": str(cache)}
    monkeypatch.setattr(route, "_can_run", lambda _, place: place.is_relative_to(cache))
    place = route._write_where_they_run(WRAPPERS, tmp_path / "tmp", env)
    assert place.is_relative_to(cache / "variantbuild" / "compilers")
    assert str(place) in (place / "gcc").read_text(encoding="utf-8")
    assert route._write_where_they_run(WRAPPERS, tmp_path / "other", env) == place


def test_no_place_to_execute_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(route, "_can_run", lambda *_: False)
    (tmp_path / "file").touch()
    for cache in ("cache", "file"):
        env = {"XDG_CACHE_HOME": str(tmp_path / cache)}
        with pytest.raises(DelegateError, match="cannot be executed.*noexec") as caught:
            route._write_where_they_run(WRAPPERS, tmp_path / "tmp", env)
        assert "TMPDIR" in (caught.value.hint or "")


@pytest.mark.parametrize(
    ("place", "chosen"),
    [
        ("CMakeLists.txt", True),
        ("cmake/flags.cmake", True),
        ("environment/lib/other/CMakeLists.txt", False),
        ("node_modules/other/CMakeLists.txt", False),
        ("build/_deps/other/CMakeLists.txt", False),
    ],
)
def test_only_the_projects_own_files_choose_targets(
    place: str, chosen: bool, tmp_path: Path
) -> None:
    """Those of another project, in a virtual environment, left this one without flags."""
    (tmp_path / "environment").mkdir()
    (tmp_path / "environment" / "pyvenv.cfg").touch()
    (tmp_path / place).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / place).write_text("variantbuild_targets_only()\n", encoding="utf-8")
    assert route.chooses_targets(tmp_path) is chosen
