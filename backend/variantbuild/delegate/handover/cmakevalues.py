"""The variant as values for CMake projects that ask: what cmake/VariantBuild.cmake reads.

Environment variables and no `-D`: CMake warns of definitions that a project does not use, and
CMAKE_ARGS and SKBUILD_CMAKE_ARGS would each split them by rules of their own. The underscore in
front keeps them apart from settings (`VARIANTBUILD_CPU`).
"""

from __future__ import annotations

import shlex
from collections.abc import Mapping

from variantbuild.plan.flags import Flags
from variantbuild.probe.facts import Language
from variantbuild.variant import Variant

_LANGUAGES: Mapping[Language, str] = {"c": "C", "cxx": "CXX", "fortran": "Fortran"}


def render_cmake_values(variant: Variant, flags: Flags) -> dict[str, str]:
    """Return the environment variables that tell VariantBuild.cmake of `variant`.

    Each of `flags` stands there as one command-line fragment, written as in CFLAGS, so that the
    module finds it again in CMAKE_C_FLAGS. A language without a compiler has no variable.
    """
    values = {
        "CMAKE": "1",
        "LABEL": str(variant),
        "CPU": variant.cpu or "",
        "ACCELERATOR": str(variant.accelerator or ""),
        "DISTRO": str(variant.distro or ""),
        "MODULE_LINK_FLAGS": shlex.join(flags.guard.driver_options),
    }
    for language in flags.languages:
        values[f"{_LANGUAGES[language]}_FLAGS"] = shlex.join(flags.of(language))
    return {f"_VARIANTBUILD_{name}": value for name, value in values.items()}
