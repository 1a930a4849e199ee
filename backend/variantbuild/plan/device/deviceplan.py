"""The part of the plan on device code: accelerator, toolkit, host compiler, jobs.

Nothing is probed if neither the project nor a target names an accelerator.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from variantbuild.config import Config
from variantbuild.config.project import Project
from variantbuild.host import Host
from variantbuild.probe.facts import Absent
from variantbuild.values import dataclass
from variantbuild.variant.axes import Accelerator

if TYPE_CHECKING:
    from variantbuild.plan.device.accelerator import AcceleratorChoice, Request
    from variantbuild.plan.device.build import DeviceBuild
    from variantbuild.plan.device.hostcompiler import HostCompiler
    from variantbuild.probe.gpu.gpufacts import AcceleratorFacts


@dataclass(frozen=True, kw_only=True, slots=True)
class DevicePlan:
    """The choice for device code, or None and the reason.

    `requirements` install the toolkit, if it is not installed yet.
    """

    choice: AcceleratorChoice | None
    reason: str
    host_compiler: HostCompiler | None = None
    jobs: int = 1
    requirements: tuple[str, ...] = ()

    @property
    def messages(self) -> tuple[str, ...]:
        """Messages for the user before the build."""
        if self.choice is None:
            return (self.reason,)
        said = self.host_compiler.note if self.host_compiler is not None else ""
        return (*self.choice.notes, *([said] if said else []))

    def build(self, host_flags: tuple[str, ...], config: Config) -> DeviceBuild | None:
        """Return how device code is built, with host code that gets `host_flags`."""
        if self.choice is None:
            return None
        from variantbuild.plan.device.build import DeviceBuild

        cuda = self.choice.toolkit.kind == "cuda"
        other = self.host_compiler is not None and self.host_compiler.chosen
        return DeviceBuild(
            toolkit=self.choice.toolkit,
            architectures=self.choice.architectures,
            host_compiler=self.host_compiler.command if other and self.host_compiler else "",
            host_flags=host_flags,
            extra=(
                *self.choice.toolkit.arguments,
                *(config.flags_cuda if cuda else config.flags_hip),
            ),
            jobs=self.jobs,
        )


def plan_devices(
    project: Project, host: Host, target: Accelerator | None, *, preview: bool = False
) -> DevicePlan | None:
    """Plan the device code of `project`; `target` is the accelerator that the target names.

    None if there is none to build. With `preview`, a toolkit that the build requirements would
    install counts as installed. Raises AcceleratorError if a required accelerator cannot be built,
    and if a toolkit is inconsistent.
    """
    config = project.config
    if target is None and (config.target is not None or not config.accelerators):
        return None
    from variantbuild.plan.device.accelerator import resolve_accelerator, resolve_requests
    from variantbuild.plan.device.givenlists import find_projects_list, find_users_list
    from variantbuild.plan.device.hostcompiler import choose_host_compiler
    from variantbuild.plan.device.jobs import available_memory, limit_jobs

    requests = resolve_requests(config, target)
    facts = {request.kind: _probe(host, request, config) for request in requests}
    required: tuple[str, ...] = ()
    if preview and "cuda" in facts and isinstance(facts["cuda"].toolkit, Absent):
        facts["cuda"], required = _expect_toolkit(project, host, facts["cuda"])
    lists = {
        kind: (find_users_list(project, host.env, kind), find_projects_list(project, kind))
        for kind in facts
    }
    choice = resolve_accelerator(config, requests, facts, lists)
    if isinstance(choice, Absent):
        return DevicePlan(choice=None, reason=choice.reason)
    kind = choice.toolkit.kind
    compiler = None
    if kind == "cuda":
        compiler = choose_host_compiler(host, choice.toolkit, _nvcc_flags(config, host.env))
    by = "" if compiler is None else f", host code by {compiler.command} ({compiler})"
    return DevicePlan(
        choice=choice,
        reason=choice.reason + by,
        host_compiler=compiler,
        jobs=limit_jobs(kind, host.usable_cpus, available_memory(host)),
        requirements=required if kind == "cuda" else (),
    )


def _expect_toolkit(
    project: Project, host: Host, facts: AcceleratorFacts
) -> tuple[AcceleratorFacts, tuple[str, ...]]:
    """Return the facts as they will be in the build, and the requirements for that."""
    from variantbuild.plan.device.pypi import expect_toolkit, render_requirements
    from variantbuild.plan.device.requirements import release_from_pypi

    release = release_from_pypi(project, host)
    if release is None:
        return facts, ()
    return replace(facts, toolkit=expect_toolkit(release)), render_requirements(release)


def _nvcc_flags(config: Config, env: Mapping[str, str]) -> str:
    """Return all flags for nvcc in the settings and in the user's variables."""
    names = ("CUDAFLAGS", "NVCC_PREPEND_FLAGS", "NVCC_APPEND_FLAGS")
    return " ".join((*config.flags_cuda, *(env.get(name, "") for name in names)))


def _probe(host: Host, request: Request, config: Config) -> AcceleratorFacts:
    from variantbuild.probe.gpu import probe_accelerator

    return probe_accelerator(
        host,
        request.kind,
        wanted=request.version,
        choice=config.cuda_toolkit,
        python_path=host.site_directories,
    )
