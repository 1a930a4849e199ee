"""The levels that the setting `bundle` asks for on one platform. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from variantbuild.config import Config
from variantbuild.errors import ConfigError, VariantError
from variantbuild.isa.architecture import parse_machine
from variantbuild.isa.cpus import explain_unknown, family_of, known_cpus
from variantbuild.isa.levels import baseline

#: Policies of the audit under which a level could be published as something else.
_LENIENT = ("off", "warn", "downgrade")


@dataclass(frozen=True, kw_only=True, slots=True)
class Asked:
    """The levels to build, the baseline first; none, with the reason, where there is no bundle."""

    labels: tuple[str, ...] = ()
    reason: str = ""


def resolve_levels(config: Config, platform: str) -> Asked:
    """Return the levels of `config.bundle` for `platform` (`sysconfig.get_platform()`).

    Names for other architectures are left out, so one list serves all of them; the baseline is
    always among the levels. Raises VariantError for a name that is not a CPU of any architecture,
    and ConfigError for a policy of the audit under which a level may have another label.
    """
    origin = config.origin("bundle")
    system, _, machine = platform.partition("-")
    found = parse_machine(machine.rpartition("-")[2] or machine)
    arch = found[0] if len(found) == 1 else ""
    labels: list[str] = []
    for name in config.bundle:
        if arch and name in known_cpus(arch):
            labels.append(name)
        elif family_of(name) is None:
            raise VariantError(
                f"bundle {name!r} ({origin}) is not a known CPU",
                hint=explain_unknown(name, arch or "x86_64") or None,
            )
    doubled = next((name for name in labels if labels.count(name) > 1), None)
    if doubled is not None:
        raise ConfigError(f"bundle ({origin}) names {doubled} twice", hint="name each level once")
    if system != "linux":
        return Asked(reason=f"bundles are for Linux, and this wheel is for {platform}")
    if not arch or not [name for name in labels if name != baseline(arch)]:
        return Asked(reason=f"bundle ({origin}) names no level of {machine} above its baseline")
    if config.audit in _LENIENT:
        raise ConfigError(
            f"bundle ({origin}) needs the audit, which is {config.audit} "
            f"({config.origin('audit')}): each copy must be what its level says",
            hint='set audit = "error"',
        )
    lowest = baseline(arch)
    return Asked(labels=(lowest, *(name for name in labels if name != lowest)))
