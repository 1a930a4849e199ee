"""Every name that is written reads back as the same variant, and no other name does."""

from __future__ import annotations

import itertools
import subprocess
import sys
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.tags import Tag
from packaging.utils import parse_wheel_filename
from packaging.version import Version

from variantbuild.errors import VariantError
from variantbuild.isa.cpus import all_cpus, known_cpus
from variantbuild.isa.levels import baseline
from variantbuild.variant import Variant, normalize_label, parse_variants
from variantbuild.variant.axes import Accelerator, DistroLabel, distro_names
from variantbuild.variant.labels import Names, match_label

ARCHES = ("x86_64", "aarch64", "ppc64le", "ppc64", "riscv64", "x86")
ACCELERATORS = (
    None,
    *(Accelerator(kind="cuda", version=version) for version in ((11, 8), (12,), (12, 8), (12, 10))),
    *(Accelerator(kind="cuda", version=version) for version in ((13,), (13, 0))),
    *(Accelerator(kind="rocm", version=version) for version in ((6,), (6, 0), (6, 4), (7, 10))),
)
DISTROS = (
    None,
    *(DistroLabel(name=name, version=(22, 4)) for name in sorted(distro_names())),
    *(DistroLabel(name="debian", version=version) for version in ((), (12,), (3, 20, 1))),
)


def every_variant(arch: str) -> Iterator[Variant]:
    for cpu, accelerator, distro in itertools.product(
        (None, *known_cpus(arch)), ACCELERATORS, DISTROS
    ):
        yield Variant(arch=arch, cpu=cpu, accelerator=accelerator, distro=distro)


@pytest.mark.parametrize("arch", ARCHES)
def test_every_written_name_reads_back_as_the_same_variant(arch: str) -> None:
    names: dict[str, Variant] = {}
    for variant in every_variant(arch):
        label, local, suffix = str(variant), variant.local_version, variant.platform_suffix
        if variant.is_baseline:
            assert Variant.parse(label, arch) == variant
            assert local is None
            assert suffix == ""
            continue
        assert local is not None
        for text in {label, local}:
            assert Version(f"1.0+{text}").local == local
        for written in {label, local, suffix}:
            assert names.setdefault(written, variant) == variant
            assert Variant.parse(written, arch) == variant


variants = st.sampled_from(ARCHES).flatmap(
    lambda arch: st.builds(
        Variant,
        arch=st.just(arch),
        cpu=st.sampled_from((None, *known_cpus(arch))),
        accelerator=st.sampled_from(ACCELERATORS),
        distro=st.sampled_from(DISTROS),
    )
)


@given(variants, st.permutations(range(3)), st.sampled_from("._-"), st.booleans())
def test_any_order_separator_and_case_reads_as_the_same_variant(
    variant: Variant, order: list[int], separator: str, upper: bool
) -> None:
    parts = (variant.cpu, variant.accelerator, variant.distro)
    label = separator.join(str(parts[i]) for i in order if parts[i] is not None)
    label = label.replace(".", separator)
    assert Variant.parse(label.upper() if upper else label, variant.arch) == variant


@given(st.text(max_size=40) | st.text(alphabet="cuv3._-rm60zen", max_size=12))
def test_any_text_is_a_variant_or_one_error(text: str) -> None:
    try:
        variant = Variant.parse(text, "x86_64")
    except VariantError:
        return
    assert Variant.parse(str(variant), "x86_64") == variant


@pytest.mark.parametrize(
    ("label", "arch", "local", "platform"),
    [
        ("cu12.v3", "x86_64", "cu12.v3", "linux_x86_64_v3_cu12"),
        ("V3-CU12", "x86_64", "cu12.v3", "linux_x86_64_v3_cu12"),
        ("rocm6.0.v3.fc39", "x86_64", "fc39.rocm6.0.v3", "linux_x86_64_v3_fc39_rocm6_0"),
        ("neoverse.v2", "aarch64", "neoverse.v2", "linux_aarch64_neoverse_v2"),
        ("ubuntu22.04.m1", "aarch64", "ubuntu22.4.m1", "linux_aarch64_m1_ubuntu22_04"),
        ("armv8.2a", "aarch64", "armv8.2a", "linux_aarch64_armv8_2a"),
        ("skylake_avx512", "x86_64", "skylake.avx512", "linux_x86_64_skylake_avx512"),
    ],
)
def test_written_forms(label: str, arch: str, local: str, platform: str) -> None:
    variant = Variant.parse(label, arch)
    assert variant.local_version == local
    assert f"linux_{arch}{variant.platform_suffix}" == platform
    _, version, _, tags = parse_wheel_filename(f"p-1.0+{local}-cp311-cp311-{platform}.whl")
    assert version.local == local
    assert tags == {Tag("cp311", "cp311", platform)}


@pytest.mark.parametrize("arch", ARCHES)
def test_the_baseline_is_not_stamped_but_keeps_its_name_as_a_target(arch: str) -> None:
    named = Variant.parse(baseline(arch), arch)
    assert named.is_baseline
    assert str(named) == baseline(arch)
    assert Variant.parse("", arch).is_baseline
    assert not Variant.parse("cu12", arch).is_baseline


@pytest.mark.parametrize(
    ("label", "arch", "message", "hint"),
    [
        ("v9", "x86_64", "unknown CPU 'v9'", "the nearest is 'v4'; the levels of x86_64 are v1"),
        ("avx2", "x86_64", "unknown CPU 'avx2'", "avx2 is part of 'v3'; the levels"),
        ("avx512", "x86_64", "unknown CPU 'avx512'", "avx512 is part of 'v4'"),
        ("zen44", "x86_64", "unknown CPU 'zen44'", "did you mean 'zen4'?"),
        ("fc39.zen44", "x86_64", "'zen44' in label 'fc39.zen44'", "did you mean 'zen4'?"),
        ("skylake_avx513", "x86_64", "'avx513'", "did you mean 'skylake_avx512'?"),
        ("ubunto22.04.v3", "x86_64", "'ubunto22_4'", "did you mean 'ubuntu'?"),
        (
            "v3",
            "aarch64",
            "'v3' is an x86-64 level, but the architecture is aarch64",
            "names for aarch64",
        ),
        ("cu12.neoverse_v2", "x86_64", "'neoverse_v2' is a CPU of aarch64", "v1, v2"),
        ("x86_64_v3", "x86_64", "'x86_64_v3' is not a label", "write 'v3'; the levels"),
        ("x86-64", "x86_64", "'x86_64' is not a label", "write 'v1'; the levels"),
        ("x86-64-v5", "x86_64", "unknown CPU 'x86_64_v5'", "the nearest is 'v4'; the levels"),
        ("x86_64_v0.cu12", "x86_64", "unknown CPU 'x86_64_v0' in label", "nearest is 'v1'; the"),
        ("cu12.x86-64-v9", "x86_64", "unknown CPU 'x86_64_v9' in label", "nearest is 'v4'; the"),
        ("x86-64.cu12", "x86_64", "'x86_64' is not a label", "write 'v1'; the levels"),
        ("native", "x86_64", "'native' is a value", "cpu = 'native'"),
        ("cu12.auto", "x86_64", "'auto' in label 'cu12.auto'", "cpu = 'auto'"),
        ("none", "aarch64", "'none' is a value", "cpu = 'none'"),
        ("cu12.cu13", "x86_64", "two accelerators: cu12 and cu13", None),
        ("rocm6.4.cu13", "x86_64", "two accelerators: rocm6.4 and cu13", None),
        ("v3.zen4", "x86_64", "two CPUs: v3 and zen4", None),
        ("fc39.debian12", "x86_64", "two distributions: fc39 and debian12", None),
        ("cu12.8", "x86_64", "'8' in label 'cu12.8'", "cu128"),
        ("cu9", "x86_64", "'cu9'", "cu128"),
        ("cu1208", "x86_64", "'cu1208'", "cu128"),
        ("rocm6.4.1", "x86_64", "'1' in label", "rocm6.4"),
        ("0012", "x86_64", "'12'", "cu128"),
        ("a..b", "x86_64", "'a..b' is not a label", "cu12.v3"),
        ("cu12 v3", "x86_64", "'cu12 v3' is not a label", "cu12.v3"),
        ("v３", "x86_64", "'v３' is not a label", "cu12.v3"),
        ("9" * 5000, "x86_64", "is not a label", "cu12.v3"),
        ("a" * 81, "x86_64", "is not a label", "cu12.v3"),
        ("a" * 80, "x86_64", "unknown CPU 'aaa", "levels of x86_64 are v1, v2"),
        ("debian.12", "x86_64", "'12' in label 'debian.12'", "cu128"),
        ("rocmx", "x86_64", "'rocmx' is not a version of an accelerator", "rocm6.4"),
        ("z14", "s390x", "unknown CPU 'z14'", "does not know any CPU of s390x"),
    ],
)
def test_what_names_nothing_is_refused_with_a_hint(
    label: str, arch: str, message: str, hint: str | None
) -> None:
    with pytest.raises(VariantError) as caught:
        Variant.parse(label, arch)
    assert message in caught.value.message
    assert (caught.value.hint is None) == (hint is None)
    assert hint is None or hint in (caught.value.hint or "")


def test_a_label_with_two_readings_is_refused() -> None:
    # No two names of the table collide today; these are invented names that do.
    names = {("big", "rocm6"): "big_rocm6", ("big",): "big"}
    with pytest.raises(VariantError, match="more than one way"):
        match_label("big_rocm6", names)
    assert match_label("big", names) == Names(cpu="big")
    assert match_label("small", names) is None


@pytest.mark.parametrize("cpu", ["zen44", "ZEN4", "zen4_cu12", "fc39", "", "v3.v3"])
def test_a_processor_that_would_read_as_something_else_cannot_be_put_in(cpu: str) -> None:
    with pytest.raises(VariantError):
        Variant(arch="x86_64", cpu=cpu)


@pytest.mark.parametrize(
    ("kind", "version"),
    [("cuda", ()), ("cuda", (9, 2)), ("cuda", (100,)), ("cuda", (12, 8, 1)), ("rocm", ())],
)
def test_an_accelerator_version_without_a_label_is_refused(
    kind: str, version: tuple[int, ...]
) -> None:
    with pytest.raises(VariantError, match="cannot be written as a label"):
        Accelerator(kind="cuda" if kind == "cuda" else "rocm", version=version)


@pytest.mark.parametrize(
    ("distro_id", "version_id", "label"),
    [
        ("fedora", "39", "fc39"),
        ("ubuntu", "22.04", "ubuntu22.04"),
        ("debian", "12", "debian12"),
        ("debian", "", "debian"),
        ("rhel", "9.4", "el9"),
        ("rocky", "9.3", "el9"),
        ("centos", "7", "el7"),
        ("alpine", "3.20.3", "alpine3.20"),
        ("opensuse-leap", "15.6", "leap15.6"),
        ("opensuse-tumbleweed", "20241114", "tumbleweed"),
        ("arch", "", "arch"),
        ("amzn", "2023", "amzn2023"),
        ("openEuler", "22.03", "openeuler22.03"),
    ],
)
def test_os_release_gives_a_label(distro_id: str, version_id: str, label: str) -> None:
    assert str(DistroLabel.of(distro_id, version_id)) == label


def test_an_unknown_distribution_is_refused() -> None:
    with pytest.raises(VariantError, match="names the distribution 'plan9', which has no label"):
        DistroLabel.of("plan9", "4")
    with pytest.raises(VariantError, match="VERSION_ID 'V10'"):
        DistroLabel.of("debian", "V10")
    with pytest.raises(VariantError, match="unknown distribution 'debain'") as caught:
        DistroLabel(name="debain", version=(12,))
    assert caught.value.hint == "did you mean 'debian'?"


def test_two_targets_that_fall_together_are_refused() -> None:
    assert len(parse_variants(["v2", "v3", "cu12.v3"], "x86_64")) == 3
    with pytest.raises(VariantError, match=r"'CU12_V3' and 'v3\.cu12' both name cu12\.v3"):
        parse_variants(["v2", "CU12_V3", "v3.cu12"], "x86_64")


def test_labels_are_normalised_as_a_version_is() -> None:
    assert normalize_label("CU12_V3") == "cu12.v3"
    assert normalize_label("0012") == "12"
    for bad in ("1.0+cu12\n", "", ".", "cu12.", "_v3", "ß"):
        with pytest.raises(VariantError):
            normalize_label(bad)


@given(st.text(alphabet="aZ09._-", min_size=1, max_size=12))
def test_normalisation_agrees_with_packaging(text: str) -> None:
    try:
        expected = Version(f"1+{text}").local
    except ValueError:
        with pytest.raises(VariantError):
            normalize_label(text)
    else:
        assert normalize_label(text) == expected


def test_levels_leave_archspec_unloaded() -> None:
    program = (
        "import sys; from variantbuild.variant import Variant\n"
        "v = Variant.parse('fc39.rocm6.0.v3', 'x86_64'); v.local_version, v.platform_suffix\n"
        "assert v == Variant.parse(v.platform_suffix, 'x86_64'), v\n"
        "Variant(arch='x86_64', cpu='v4'), Variant(arch='aarch64').is_baseline\n"
        "heavy = {'archspec', 'packaging', 'difflib', 'subprocess'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
        "Variant.parse('zen4', 'x86_64')\n"
        "assert 'archspec' in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True)


def test_every_name_of_archspec_belongs_to_one_architecture_only() -> None:
    assert set(known_cpus("x86_64")) <= set(all_cpus())
    assert not set(known_cpus("x86_64")) & set(known_cpus("aarch64"))
    assert known_cpus("x86_64")[:4] == ("v1", "v2", "v3", "v4")
    assert known_cpus("no such architecture") == ()


def test_names_at_the_edges() -> None:
    assert str(Accelerator(kind="cuda", version=(10, 2))) == "cu102"
    assert Variant.parse("cu10", "x86_64").accelerator == Accelerator(kind="cuda", version=(10,))
    for version in ((9, 2), (100,), (), (12, 8, 1)):
        with pytest.raises(VariantError, match="cannot be written as a label"):
            Accelerator(kind="cuda", version=version)
    with pytest.raises(VariantError, match=r"cuda 12\.8\.1 cannot be written as a label"):
        Accelerator(kind="cuda", version=(12, 8, 1))
    assert str(DistroLabel(name="ubuntu", version=(22,))) == "ubuntu22"
    assert str(DistroLabel(name="ubuntu", version=(22, 4))) == "ubuntu22.04"
    assert str(DistroLabel(name="debian", version=(12, 4))) == "debian12.4"
    assert Variant(arch="x86_64", cpu="v1").platform_suffix == ""
    assert Variant(arch="x86_64", cpu="v1").local_version is None
    assert not Variant.parse("fc39", "x86_64").is_baseline
    assert not Variant.parse("cu12", "x86_64").is_baseline


@pytest.mark.parametrize("label", ["v1", "v3", "cu12", "fc39"])
def test_a_variant_is_empty_without_any_axis(label: str) -> None:
    assert Variant(arch="x86_64").is_empty
    assert not Variant.parse(label, "x86_64").is_empty
