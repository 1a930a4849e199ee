"""Detects CPU, C library, distribution, compilers and GPUs; each fact has its source."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from variantbuild.config.buildsystem import CompilerSearch
    from variantbuild.host import Host
    from variantbuild.probe.facts import HostFacts, Language


def probe_host(
    host: Host, languages: Sequence[Language], *, search: CompilerSearch = "setuptools"
) -> HostFacts:
    """Return everything that a build needs to know about `host`, a compiler for each language.

    `search` is the build system whose search for compilers is followed. Never raises for
    something that is missing: that is a fact too.
    """
    from variantbuild.probe.compiler import probe_compiler
    from variantbuild.probe.cpu import probe_cpu
    from variantbuild.probe.distro import probe_distro
    from variantbuild.probe.facts import HostFacts
    from variantbuild.probe.libc import probe_libc

    return HostFacts(
        system=host.system,
        machine=host.machine,
        cpu=probe_cpu(host),
        libc=probe_libc(host),
        distro=probe_distro(host),
        compilers=tuple(
            (language, probe_compiler(host, language, search=search)) for language in languages
        ),
    )
