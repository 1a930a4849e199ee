"""Plans what will be built: variant, flags and names, computed in the same way by every hook.

Each hook runs in its own process, so prepare and build each compute the plan from the facts of the
host; equal values of `BuildPlan.digest` show that they agree. `make_plan` only probes, `try_plan`
runs the compilers on a small source, and `plan_build` does both.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from variantbuild.config import Config, platform_names
from variantbuild.config.delegatespec import DelegateSpec
from variantbuild.config.overrides import cmake_defines
from variantbuild.config.project import Project
from variantbuild.errors import ConfigError
from variantbuild.frontend.naming import Naming, resolve_naming
from variantbuild.frontend.situation import Situation
from variantbuild.host import Host
from variantbuild.plan.choice import Choice, resolve_variant, variant_names
from variantbuild.plan.compilation import Compilation, plan_compilation, probed_languages
from variantbuild.plan.flags import Flags
from variantbuild.plan.languages import find_languages
from variantbuild.probe import probe_host
from variantbuild.probe.facts import Compiler, Found, HostFacts, Language
from variantbuild.values import dataclass
from variantbuild.variant import Variant

if TYPE_CHECKING:
    from variantbuild.plan.device.build import DeviceBuild
    from variantbuild.plan.device.deviceplan import DevicePlan
    from variantbuild.plan.flags.trial import Trial

_NOT_FROM_A_WHEELHOUSE = (
    "pip will not install the file that `pip wheel` writes here from a wheelhouse (--find-links): "
    "only the specific tag in its name keeps pip's cache from reusing it on another machine; "
    "-C variantbuild.platform-tag=set names it so that it installs"
)


@dataclass(frozen=True, kw_only=True, slots=True)
class BuildPlan:
    """Everything that is decided before the delegate runs.

    `platform` is `sysconfig.get_platform()` of the interpreter that the wheel is for, `soabi` its
    SOABI, None if it has none. `trial` is None until the flags have been tried: until then the
    ISA note is the expected one.
    """

    project: Project
    delegate: DelegateSpec
    platform: str
    facts: HostFacts
    choice: Choice
    situation: Situation
    compilation: Compilation
    devices: DevicePlan | None = None
    trial: Trial | None = None
    soabi: str | None = None

    @property
    def variant(self) -> Variant:
        """The variant to build; the stamp names the one that was found."""
        return self.choice.variant

    @property
    def flags(self) -> Flags:
        """The flags of each compiler."""
        return self.compilation.flags

    @property
    def compilers(self) -> tuple[tuple[Language, Compiler], ...]:
        """The compilers that the flags are for, by language."""
        return self.compilation.compilers

    @property
    def naming(self) -> Naming:
        """The version and tags that the front end may see, which depend on the ISA note."""
        protected = self.flags.isa_note.unprotected is None
        return resolve_naming(self.situation.kind, self.project.config, protected=protected)

    @property
    def device(self) -> DeviceBuild | None:
        """How device code is built; None if there is none."""
        if self.devices is None:
            return None
        return self.devices.build(self.flags.cxx, self.project.config)

    def settled(self, trial: Trial) -> BuildPlan:
        """Return the plan with the ISA note that `trial` read back; raises its FlagsError."""
        if trial.error is not None:
            raise trial.error
        flags = replace(self.flags, isa_note=trial.isa_note)
        return replace(self, compilation=replace(self.compilation, flags=flags), trial=trial)

    @property
    def messages(self) -> tuple[str, ...]:
        """Messages for the user before the build, one sentence each."""
        unprotected = self.flags.isa_note.unprotected
        warning = (
            f"the wheel is not protected: {unprotected}; "
            "a CPU that lacks the instructions raises SIGILL"
        )
        return (
            *self.project.ignored_files,
            *self.project.stray_settings,
            *(str(conflict) for conflict in self.compilation.conflicts),
            *self.flags.notes,
            *(() if self.devices is None else self.devices.messages),
            *([warning] if unprotected and not self.variant.is_baseline else []),
            *([_NOT_FROM_A_WHEELHOUSE] if self._is_kept_in_vain() else []),
        )

    def _is_kept_in_vain(self) -> bool:
        """Return whether pip writes a file that it will not install itself."""
        specific = self.naming.form in ("specific", "hybrid")
        return self.situation.keeps_file and specific and not self.variant.is_baseline

    @property
    def digest(self) -> str:
        """A digest of everything that the bytes of the wheel may depend on, in hexadecimal."""
        from variantbuild.plan.digest import digest_plan

        return digest_plan(self)


def plan_build(
    project: Project,
    delegate: DelegateSpec,
    host: Host,
    situation: Situation,
    *,
    preview: bool = False,
) -> BuildPlan:
    """Plan the build of `project` and try the flags; the arguments are those of `make_plan`.

    The order matters: the facts decide the variant, the variant the flags, the flags are tried,
    the trial decides whether modules are protected, and that decides the names.
    Raises what `make_plan` raises, and FlagsError where a compiler rejects its flags.
    """
    plan = make_plan(project, delegate, host, situation, preview=preview)
    return plan.settled(try_plan(plan, host))


def try_plan(plan: BuildPlan, host: Host) -> Trial:
    """Compile a probe with the flags of `plan`, once for each language that is tried."""
    from variantbuild.plan.flags.trial import try_flags

    return try_flags(host, plan.flags, dict(plan.compilers), plan.compilation.tried)


def make_plan(
    project: Project,
    delegate: DelegateSpec,
    host: Host,
    situation: Situation,
    *,
    preview: bool = False,
) -> BuildPlan:
    """Probe `host` and decide what to build from `project` for the front end of `situation`.

    Compilers are only run to print their version. With `preview` nothing will be built now: a GPU
    toolkit that the build requirements would install counts as installed. Raises ProbeError,
    VariantError or FlagsError where the machine cannot build the variant.
    """
    platform = host.platform
    languages = find_languages(project.path)
    facts = probe_host(
        host,
        probed_languages(languages, host.env),
        search=delegate.system.compiler_search,
    )
    choice = _choose_variant(project.config, host, facts, platform, situation)
    devices = _plan_devices(project, host, choice.variant, preview=preview)
    choice = _with_accelerator(choice, devices)
    project = _settle(project, delegate, platform, choice.variant)
    compilation = plan_compilation(project, host, facts, choice.variant, languages)
    return BuildPlan(
        project=project,
        delegate=delegate,
        platform=platform,
        facts=facts,
        choice=choice,
        situation=situation,
        compilation=compilation,
        devices=devices,
        soabi=host.config_var("SOABI"),
    )


def _choose_variant(
    config: Config, host: Host, facts: HostFacts, platform: str, situation: Situation
) -> Choice:
    from variantbuild.probe.cpu import probe_microarchitecture

    name = None
    if config.cpu == "native" and isinstance(facts.cpu, Found):
        name = probe_microarchitecture(host, facts.cpu.value)
    return resolve_variant(
        config, facts, platform, microarchitecture=name, cibuildwheel=situation.cibuildwheel
    )


def _with_accelerator(choice: Choice, devices: DevicePlan | None) -> Choice:
    if devices is None or devices.choice is None:
        return choice
    return Choice(
        variant=replace(choice.variant, accelerator=devices.choice.label),
        reason=f"{choice.reason}; {devices.reason}",
    )


def _settle(project: Project, delegate: DelegateSpec, platform: str, variant: Variant) -> Project:
    """Apply the overrides that match `variant`; CMake variables become config-settings."""
    settled = project.settle({**platform_names(platform), **variant_names(variant)})
    defines = cmake_defines(settled.config.overrides)
    if not defines:
        return settled
    if not delegate.system.takes_cmake_settings:
        raise ConfigError(
            f"cmake.define {', '.join(sorted(defines))} in overrides cannot reach the delegate "
            f"{delegate.backend!r}: only scikit-build-core takes CMake variables"
        )
    given = {key.removeprefix("skbuild.") for key in project.delegate_settings}
    ours = {f"cmake.define.{name}": value for name, value in defines.items()}
    added = {key: value for key, value in ours.items() if key not in given}
    return replace(settled, delegate_settings={**settled.delegate_settings, **added})


def _plan_devices(
    project: Project, host: Host, variant: Variant, *, preview: bool
) -> DevicePlan | None:
    """Plan the device code; its modules are imported only if there may be any."""
    if variant.accelerator is None and not project.config.accelerators:
        return None
    from variantbuild.plan.device.deviceplan import plan_devices

    return plan_devices(project, host, variant.accelerator, preview=preview)
