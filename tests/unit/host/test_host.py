"""This machine: files, programs and configuration, without exceptions."""

from __future__ import annotations

import os
import platform
import sysconfig
from pathlib import Path

import pytest

from variantbuild.host import READ_LIMIT
from variantbuild.host.cpuid import read_cpuid
from variantbuild.host.local import LocalHost
from variantbuild.probe.cpu import probe_cpu
from variantbuild.probe.facts import Found


def test_names_are_pythons(local_host: LocalHost) -> None:
    assert local_host.system == platform.system()
    assert local_host.machine == platform.machine()
    assert local_host.platform == sysconfig.get_platform()


def test_interpreter_and_cpus(local_host: LocalHost) -> None:
    assert sysconfig.get_path("purelib") in local_host.site_directories
    assert 1 <= local_host.usable_cpus <= (os.cpu_count() or 1)


def test_scratch_directory_holds_the_files_and_is_removed(local_host: LocalHost) -> None:
    script = "pwd; cat in > out; echo $MINE >&2"
    argv = ["/bin/sh", "-c", script]
    run = local_host.run_scratch(argv, files={"in": "text"}, output="out", env={"MINE": "1"})
    assert run.done.ok
    assert run.output == b"text"
    assert run.done.stderr == "1\n"
    assert not Path(run.done.stdout.strip()).exists()
    assert local_host.run_scratch(["/bin/false"], files={}, output="out").output is None


def test_no_scratch_directory_is_not_an_exception(
    local_host: LocalHost, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "gone"))
    run = local_host.run_scratch(["/bin/true"], files={}, output="out")
    assert run.done.status is None
    assert "needs a temporary directory, and " in run.done.failure
    assert "No such file or directory" in run.done.failure
    assert run.output is None


def test_programs_get_the_environment() -> None:
    host = LocalHost(env={"PATH": "/usr/bin:/bin", "MINE": "1", "LC_ALL": "de_DE.UTF-8"})
    script = "echo $MINE $THEIRS $LC_ALL $HOME"
    done = host.run(["/bin/sh", "-c", script], env={"THEIRS": "2", "LC_ALL": "fr_FR"})
    assert done.stdout == "1 2 C\n"
    assert host.run(["/bin/sh", "-c", "echo $MINE"], env={"MINE": "3"}).stdout == "3\n"
    assert done.argv == ("/bin/sh", "-c", script)


def test_programs_run_in_a_directory(local_host: LocalHost, tmp_path: Path) -> None:
    done = local_host.run(["/bin/pwd"], cwd=tmp_path)
    assert Path(done.stdout.strip()).samefile(tmp_path)


def test_missing_directory_is_not_an_exception(local_host: LocalHost, tmp_path: Path) -> None:
    done = local_host.run(["/bin/pwd"], cwd=tmp_path / "nowhere")
    assert done.status is None


def test_which_is_of_its_environment(tmp_path: Path) -> None:
    tool = tmp_path / "tool"
    tool.write_text("")
    tool.chmod(0o755)
    assert LocalHost(env={"PATH": str(tmp_path)}).which("tool") == str(tool)
    assert LocalHost(env={"PATH": str(tmp_path)}, source=tmp_path).which("tool") is None
    assert LocalHost(env={"PATH": "/nowhere"}).which("tool") is None


class TestFiles:
    def test_text(self, local_host: LocalHost, tmp_path: Path) -> None:
        path = tmp_path / "file"
        path.write_bytes(b"a\xffb")
        assert local_host.read_text(str(path)) == "a\ufffdb"
        assert local_host.read_text(str(path), limit=1) == "a"

    def test_bounded(self, local_host: LocalHost, tmp_path: Path) -> None:
        path = tmp_path / "file"
        path.write_bytes(b"a" * (READ_LIMIT + 1))
        assert len(local_host.read_text(str(path)) or "") == READ_LIMIT

    def test_nothing_to_read(
        self, local_host: LocalHost, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        (tmp_path / "file").write_text("text")
        os.mkfifo(tmp_path / "fifo")
        monkeypatch.chdir(tmp_path)
        for path in (tmp_path, tmp_path / "fifo", tmp_path / "nowhere"):
            assert local_host.read_text(str(path)) is None
        assert local_host.read_text("file") is None

    def test_glob(
        self, local_host: LocalHost, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        for name in ("b.so", "a.so", "c.txt"):
            (tmp_path / name).write_text("")
        monkeypatch.chdir(tmp_path)
        assert local_host.glob(f"{tmp_path}/*.so") == (f"{tmp_path}/a.so", f"{tmp_path}/b.so")
        assert local_host.glob("*.so") == ()


def test_config_var(local_host: LocalHost) -> None:
    assert local_host.config_var("EXT_SUFFIX") == sysconfig.get_config_var("EXT_SUFFIX")
    assert local_host.config_var("NO_SUCH_VARIABLE") is None


def test_unknown_confstr(local_host: LocalHost) -> None:
    assert local_host.confstr("CS_NO_SUCH_STRING") is None


def test_cpuid_agrees_with_the_kernel(local_host: LocalHost) -> None:
    fact = probe_cpu(local_host)
    told = read_cpuid()
    if told is None or not isinstance(fact, Found) or fact.value.family != "x86_64":
        pytest.skip("CPUID cannot be run here")
    assert told.vendor == fact.value.vendor
    wanted = {"sse2", "sse4_2", "avx", "avx2", "bmi2", "fma", "avx512f", "avx512vl"}
    assert told.features & wanted == fact.value.features & wanted
