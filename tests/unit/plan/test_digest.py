"""The digest of a plan: what changes it, and what must not."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from devices import CUDA
from hosts.recorded import RecordedHost
from variantbuild.config.delegatespec import DelegateSpec
from variantbuild.config.project import load_project
from variantbuild.frontend.situation import Situation
from variantbuild.plan import BuildPlan, make_plan
from variantbuild.plan.device.accelerator import AcceleratorChoice
from variantbuild.plan.device.deviceplan import DevicePlan
from variantbuild.plan.device.hostcompiler import HostCompiler
from variantbuild.plan.flags import Flags, IsaNote
from variantbuild.plan.flags.rustflags import RustFlags
from variantbuild.variant import Variant
from variantbuild.variant.axes import Accelerator


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A source tree with C in it."""
    (tmp_path / "m.c").touch()
    (tmp_path / "pyproject.toml").write_text("", encoding="utf-8")
    return tmp_path


def planned(
    tree: Path, settings: Mapping[str, str] | None = None, env: Mapping[str, str] | None = None
) -> BuildPlan:
    """Plan a build of `tree` on a recorded machine."""
    given = {f"variantbuild.{key}": value for key, value in (settings or {}).items()}
    project = load_project(tree, given, env or {}, machine_files=())
    spec = DelegateSpec(backend="setuptools.build_meta", path=(), origin="test")
    situation = Situation(kind="build", evidence="test")
    return make_plan(project, spec, RecordedHost.load("zen4"), situation)


def with_flags(plan: BuildPlan, flags: Flags) -> BuildPlan:
    return replace(plan, compilation=replace(plan.compilation, flags=flags))


def with_device(plan: BuildPlan, *, jobs: int = 1, **changes: object) -> BuildPlan:
    """Add device code to `plan`; `changes` are those of the choice."""
    choice = AcceleratorChoice(
        label=Accelerator(kind="cuda", version=(13,)),
        toolkit=CUDA.toolkit,
        architectures=CUDA.architectures,
        reason="test",
    )
    choice = replace(choice, **changes)  # type: ignore[arg-type]  # a shorthand
    return replace(plan, devices=DevicePlan(choice=choice, reason="test", jobs=jobs))


def test_settings_change_it(tree: Path) -> None:
    plans = [
        planned(tree, {"cpu": "v3", **more})
        for more in (
            {},
            {"cpu": "v2"},
            {"flags.c": "-O3"},
            {"flags.link": "-s"},
            {"audit": "warn"},
            {"isa-guard": "false"},
            {"fp-contract": "off"},
            {"local-version": "never"},
        )
    ]
    assert len({plan.digest for plan in plans}) == len(plans)


def test_each_part_changes_it(tree: Path) -> None:
    plan = planned(tree, {"cpu": "v3"})
    language, compiler = plan.compilers[0]
    compilers = [
        replace(compiler, version="99.0"),
        replace(compiler, command=("/opt/gcc",)),
        replace(compiler, family="clang"),
        replace(compiler, target="aarch64-linux-gnu"),
    ]
    flags = plan.flags
    rust = RustFlags(target="x86_64-unknown-linux-gnu", compile=("-C", "target-cpu=x86-64-v3"))
    others = [
        replace(plan, choice=replace(plan.choice, variant=Variant(arch="x86_64", cpu="v2"))),
        replace(plan, choice=replace(plan.choice, variant=Variant(arch="aarch64"))),
        replace(plan, platform="linux-aarch64"),
        replace(plan, soabi="cpython-399-x86_64-linux-gnu"),
        replace(plan, delegate=replace(plan.delegate, backend="mesonpy")),
        replace(plan, project=replace(plan.project, delegate_settings={"own": "x"})),
        replace(plan, project=replace(plan.project, delegate_settings={"own": ["x", "y"]})),
        replace(plan, situation=replace(plan.situation, kind="pip-sdist")),
        with_flags(plan, replace(flags, c=("-O1",))),
        with_flags(plan, replace(flags, cxx=("-O1",))),
        with_flags(plan, replace(flags, fortran=("-O1",))),
        with_flags(plan, replace(flags, link=("-s",))),
        with_flags(plan, replace(flags, isa_note=IsaNote(level="v2"))),
        with_flags(plan, replace(flags, rust=rust)),
        with_flags(plan, replace(flags, rust=replace(rust, link=("-C", "linker-features=-lld")))),
        *(
            replace(plan, compilation=replace(plan.compilation, compilers=((language, each),)))
            for each in (compiler, *compilers)
        ),
    ]
    digests = {each.digest for each in (plan, *others)}
    assert len(digests) == len(others) + 1


def test_device_code_changes_it_and_jobs_do_not(tree: Path) -> None:
    plan = planned(tree, {"cpu": "v3"})
    device = with_device(plan)
    assert device.devices is not None
    other_host = HostCompiler(command="/usr/bin/g++-12", family="gcc", major=12, chosen=True)
    others = [
        with_device(plan, architectures=replace(CUDA.architectures, real=("80",))),
        with_device(plan, architectures=replace(CUDA.architectures, ptx=())),
        with_device(plan, toolkit=replace(CUDA.toolkit, release="13.0.99")),
        with_device(plan, toolkit=replace(CUDA.toolkit, root="/opt/other")),
        replace(device, devices=replace(device.devices, host_compiler=other_host)),
    ]
    assert len({each.digest for each in (plan, device, *others)}) == len(others) + 2
    assert with_device(plan, jobs=7).digest == device.digest
    reason = replace(CUDA.architectures, reason="another reason")
    assert with_device(plan, architectures=reason).digest == device.digest


def test_origins_do_not_change_it(tree: Path) -> None:
    plan = planned(tree, {"cpu": "v2"})
    assert planned(tree, env={"VARIANTBUILD_CPU": "v2"}).digest == plan.digest
    table = '[tool.variantbuild]\ncpu = "v2"\n'
    (tree / "pyproject.toml").write_text(table, encoding="utf-8")
    assert planned(tree).digest == plan.digest


def test_sentences_do_not_change_it(tree: Path) -> None:
    plan = planned(tree, {"cpu": "v3"})
    other = replace(plan, choice=replace(plan.choice, reason="another reason"))
    other = with_flags(other, replace(plan.flags, notes=("a note",)))
    assert other.digest == plan.digest


def test_order_of_settings_does_not_change_it(tree: Path) -> None:
    plan = planned(tree, {"cpu": "v3"})
    settings: dict[str, str | list[str]] = {"b": "1", "a": ["2", "3"]}
    other = dict(reversed(settings.items()))
    first = replace(plan, project=replace(plan.project, delegate_settings=settings))
    second = replace(plan, project=replace(plan.project, delegate_settings=other))
    assert first.digest == second.digest
    swapped = replace(plan, compilation=replace(plan.compilation, compilers=plan.compilers[::-1]))
    assert swapped.digest == plan.digest


SCRIPT = """
import sys
from pathlib import Path
sys.path[:0] = sys.argv[2:]
from test_digest import planned
print(planned(Path(sys.argv[1]), {"cpu": "v3"}).digest)
"""


def test_hash_seed_does_not_change_it(tree: Path) -> None:
    found = {
        subprocess.run(
            [sys.executable, "-c", SCRIPT, str(tree), *sys.path, str(Path(__file__).parent)],
            env={"PYTHONHASHSEED": seed},
            check=True,
            capture_output=True,
            text=True,
        ).stdout
        for seed in ("1", "2", "3")
    }
    assert found == {planned(tree, {"cpu": "v3"}).digest + "\n"}
