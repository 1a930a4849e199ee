"""pip in unusual environments, and several pips at once."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from frontends import Sources
from workshop import Environment, MakeEnvironment

pytestmark = [pytest.mark.compile, pytest.mark.isolated]


def by_name(sources: Sources, *words: str | Path) -> tuple[str | Path, ...]:
    return ("--no-binary", "whatami", "--find-links", sources.sdist.parent, *words)


def test_strange_directories_and_settings_of_one_requirement(
    environment: Environment, sources: Sources, tmp_path: Path
) -> None:
    """No home, a space and umlauts in the path of temporary files, settings in requirements.txt."""
    temporary = tmp_path / "für zwischen durch"
    temporary.mkdir()
    listed = tmp_path / "requirements.txt"
    listed.write_text('whatami --config-settings "variantbuild.cpu=v2"\n', encoding="utf-8")
    environment.env.update({"HOME": "/dev/null", "XDG_CONFIG_HOME": "", "XDG_CACHE_HOME": "here"})
    environment.env.update({"VARIANTBUILD_BUILD_CACHE": "true", "TMPDIR": str(temporary)})
    words = by_name(sources, "-r", listed)
    done = environment.pip("install", "-v", "--no-cache-dir", *words).ok()
    assert environment.compiled_for("whatami")["level"] == "v2"
    assert done.output.count("is not stored in the build cache: /dev/null/") == 1
    assert list(temporary.iterdir()) == []
    assert not (environment.directory / "here").exists()


def test_download_takes_the_sdist_and_compiles_nothing(
    environment: Environment, sources: Sources, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    words = by_name(sources, "--no-deps", "-d", out, "whatami")
    done = environment.pip("download", "-v", *words, VARIANTBUILD_CPU="v2").ok()
    assert [path.name for path in out.iterdir()] == [sources.sdist.name]
    assert "building 'whatami' extension" not in done.output


@pytest.mark.parametrize("route", ["tree", "name"])
def test_two_at_once(
    make_environment: MakeEnvironment,
    setuptools_c: Path,
    sources: Sources,
    route: str,
) -> None:
    """One cache of pip's, one of ours, one source tree."""
    words = (setuptools_c,) if route == "tree" else by_name(sources, "whatami")
    environments = [make_environment(f"venv-{number}") for number in range(2)]
    started = []
    for environment in environments:
        env = {**environment.env, "VARIANTBUILD_CPU": "v2", "VARIANTBUILD_BUILD_CACHE": "true"}
        command = [environment.python, "-m", "pip", "install", *words]
        started.append(
            subprocess.Popen(
                list(map(str, command)),
                cwd=environment.directory,
                env=env,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
            )
        )
    for process, environment in zip(started, environments, strict=True):
        output, _ = process.communicate(timeout=300)
        assert process.returncode == 0, output
        assert environment.compiled_for("whatami")["level"] == "v2"
        environment.pip("check").ok()
