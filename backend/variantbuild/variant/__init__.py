"""What a wheel is built for, and all of its names: parsed from text and written as text.

A variant has three axes: CPU, accelerator, distribution. It is written as a dotted label
(`fc39.rocm6.0.v3`), as a local version, and as the suffix of a platform tag
(`_v3_fc39_rocm6_0`); all three parse back to the same variant.
"""

from __future__ import annotations

from collections.abc import Sequence

from variantbuild.errors import VariantError
from variantbuild.isa.accelerators import AcceleratorKind
from variantbuild.isa.cpus import known_cpus
from variantbuild.isa.levels import baseline
from variantbuild.values import dataclass
from variantbuild.variant.axes import Accelerator, DistroLabel
from variantbuild.variant.labels import Names, normalize_label, read_label

__all__ = [
    "Accelerator",
    "AcceleratorKind",
    "DistroLabel",
    "Variant",
    "known_cpus",
    "normalize_label",
    "parse_variants",
]


@dataclass(frozen=True, kw_only=True, slots=True)
class Variant:
    """What a wheel is built for, on `arch` (archspec's family: x86_64, aarch64, ppc64le, …).

    `cpu` is a level (`v3`) or archspec's name (`zen4`); None keeps the compiler's default.
    Raises VariantError if `arch` has no such CPU, or if the label would be parsed as another
    variant because the names of two axes run together.
    """

    arch: str
    cpu: str | None = None
    accelerator: Accelerator | None = None
    distro: DistroLabel | None = None

    def __post_init__(self) -> None:
        label = str(self)
        read = read_label(label, self.arch) if label else Names()
        if read != (self.cpu, self.accelerator, self.distro):
            raise VariantError(f"{label!r} would be read as another variant of {self.arch}")

    def __str__(self) -> str:
        """Return the dotted label, `[distro.][accelerator.]cpu`; empty if no axis is set."""
        return ".".join(str(part) for part in (self.distro, self.accelerator, self.cpu) if part)

    @property
    def is_empty(self) -> bool:
        """Whether no axis is set: nothing is required of the machine or of the build."""
        return self.cpu is None and self.accelerator is None and self.distro is None

    @property
    def is_baseline(self) -> bool:
        """Whether every machine of `arch` runs this, so that wheels for it get no stamp."""
        plain = self.cpu is None or self.cpu == baseline(self.arch)
        return plain and self.accelerator is None and self.distro is None

    @property
    def local_version(self) -> str | None:
        """The label as a local version, normalised as in PEP 440; None for the baseline."""
        return None if self.is_baseline else normalize_label(str(self))

    @property
    def platform_suffix(self) -> str:
        """What a platform tag appends to the platform: `_{cpu}[_{distro}][_{accelerator}]`."""
        if self.is_baseline:
            return ""
        parts = (self.cpu, self.distro, self.accelerator)
        return "".join(f"_{part}" for part in parts if part).replace(".", "_")

    @classmethod
    def parse(cls, label: str, arch: str) -> Variant:
        """Parse a `label` for `arch`: the axes in any order, separated by `.`, `_` or `-`.

        Accepts every form that is written: the label, the local version, and the suffix of a
        platform tag. The empty label sets no axis. Raises VariantError for unknown names, two
        names on one axis, and labels that can be read in more than one way.
        """
        text = label.strip().removeprefix("_")
        names = read_label(text, arch) if text else Names()
        return cls(arch=arch, cpu=names.cpu, accelerator=names.accelerator, distro=names.distro)


def parse_variants(labels: Sequence[str], arch: str) -> tuple[Variant, ...]:
    """Parse several labels for the architecture `arch`.

    Raises VariantError for a label that cannot be parsed, and for two that name the same variant
    (`CU12_V3` and `cu12.v3`).
    """
    spelled: dict[Variant, str] = {}
    for label in labels:
        variant = Variant.parse(label, arch)
        if variant in spelled:
            raise VariantError(
                f"targets {spelled[variant]!r} and {label!r} both name {str(variant) or 'nothing'}",
                hint="list each target once",
            )
        spelled[variant] = label
    return tuple(spelled)
