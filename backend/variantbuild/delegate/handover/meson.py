"""Flags for Meson projects that set compiler arguments of their own as options.

An option overrides CFLAGS and its counterparts: with `c_args` in the project's `default_options`,
or as `-Dc_args=…`, Meson ignores the variable, ours and the user's alike (seen with Meson 1.12).
The flags then go into the variable that names the compiler, where Meson accepts arguments as well
and keeps them for every call. Source: the Meson manual, "Compiler and linker flag environment
variables" and "Reference tables".
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Mapping, Sequence

from variantbuild.delegate.handover.delegation import Delegation
from variantbuild.plan.flags import Flags
from variantbuild.probe.facts import Compiler, Language

#: Meson's name of each language, and the variable that names its compiler.
_NAMES: Mapping[Language, tuple[str, str]] = {
    "c": ("c", "CC"),
    "cxx": ("cpp", "CXX"),
    "fortran": ("fortran", "FC"),
}


def compiler_variables(
    flags: Flags, delegation: Delegation, compilers: Mapping[Language, Compiler]
) -> dict[str, str]:
    """Return CC, CXX and FC with the flags, for languages whose own variable is ignored."""
    options = "\n".join((delegation.meson_build, *_setup_arguments(delegation)))
    changes = {}
    for language, (word, variable) in _NAMES.items():
        added = flags.of(language)
        option = re.compile(rf"(?:['\"]|-D){word}_args['\"]?\s*[=:]")
        if language in compilers and added and option.search(options):
            changes[variable] = shlex.join((*compilers[language].command, *added))
    return changes


def _setup_arguments(delegation: Delegation) -> Iterator[str]:
    """Yield the arguments that meson-python passes to `meson setup`: the project's, the user's."""
    table = delegation.tool.get("meson-python")
    arguments = table.get("args") if isinstance(table, Mapping) else None
    places = (
        arguments.get("setup") if isinstance(arguments, Mapping) else None,
        delegation.config_settings.get("setup-args"),
    )
    for value in places:
        if isinstance(value, str):
            yield value
        elif isinstance(value, Sequence):
            yield from map(str, value)
