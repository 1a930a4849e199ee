"""The variant as environment variables for CMake projects, read by cmake/VariantBuild.cmake.

Not `-D` definitions: CMake warns about definitions that a project does not use, and CMAKE_ARGS and
SKBUILD_CMAKE_ARGS are split by different rules. The leading underscore distinguishes them from
settings (`VARIANTBUILD_CPU`).
"""

from __future__ import annotations

import shlex
from collections.abc import Mapping

from variantbuild.plan.flags import Flags
from variantbuild.probe.facts import Language
from variantbuild.variant import Variant

_LANGUAGES: Mapping[Language, str] = {"c": "C", "cxx": "CXX", "fortran": "Fortran"}


def render_cmake_values(variant: Variant, flags: Flags) -> dict[str, str]:
    """Return the environment variables that describe `variant` to VariantBuild.cmake.

    Flags are one command-line fragment a language, written as in CFLAGS, so that the module
    recognises it in CMAKE_C_FLAGS. A language without a compiler has no variable.
    """
    values = {
        "CMAKE": "1",
        "LABEL": str(variant),
        "CPU": variant.cpu or "",
        "ACCELERATOR": str(variant.accelerator or ""),
        "DISTRO": str(variant.distro or ""),
        "MODULE_LINK_FLAGS": shlex.join(flags.isa_note.driver_options),
    }
    for language in flags.languages:
        values[f"{_LANGUAGES[language]}_FLAGS"] = shlex.join(flags.of(language))
    return {f"_VARIANTBUILD_{name}": value for name, value in values.items()}
