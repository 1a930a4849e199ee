"""The values that the backend passes to VariantBuild.cmake."""

from __future__ import annotations

from variantbuild.delegate.handover.cmakevalues import render_cmake_values
from variantbuild.plan.flags import Flags, IsaNote
from variantbuild.variant import Variant


def test_every_axis_and_language_has_its_variable() -> None:
    flags = Flags(
        languages=("c", "fortran"),
        c=("-march=x86-64-v3", "-DNAME=a b"),
        fortran=(),
        link=("-Wl,-O1",),
        isa_note=IsaNote(level="v3"),
    )

    assert render_cmake_values(Variant.parse("fc39.cu12.v3", "x86_64"), flags) == {
        "_VARIANTBUILD_CMAKE": "1",
        "_VARIANTBUILD_LABEL": "fc39.cu12.v3",
        "_VARIANTBUILD_CPU": "v3",
        "_VARIANTBUILD_ACCELERATOR": "cu12",
        "_VARIANTBUILD_DISTRO": "fc39",
        "_VARIANTBUILD_C_FLAGS": "-march=x86-64-v3 '-DNAME=a b'",
        "_VARIANTBUILD_Fortran_FLAGS": "",
        "_VARIANTBUILD_MODULE_LINK_FLAGS": "-Wl,-z,x86-64-v3",
    }


def test_the_baseline_is_handed_over_as_nothing() -> None:
    values = render_cmake_values(Variant(arch="aarch64"), Flags(languages=("cxx",)))

    assert values.pop("_VARIANTBUILD_CMAKE") == "1"
    assert values.keys() >= {"_VARIANTBUILD_LABEL", "_VARIANTBUILD_CXX_FLAGS"}
    assert set(values.values()) == {""}
