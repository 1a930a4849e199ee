"""A digest of everything in a plan that the bytes of the wheel may depend on.

The plan is written as canonical JSON first, so that the digest depends neither on how values are
printed, nor on the order of mappings, nor on where a setting came from.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from variantbuild.config.canonical import canonical_settings, digest_json
from variantbuild.types import JSONValue

if TYPE_CHECKING:
    from variantbuild.frontend.naming import Naming
    from variantbuild.plan import BuildPlan
    from variantbuild.plan.device.build import DeviceBuild
    from variantbuild.plan.flags import Flags
    from variantbuild.probe.facts import Compiler
    from variantbuild.probe.gpu.gpufacts import Toolkit
    from variantbuild.variant import Variant


def digest_plan(plan: BuildPlan) -> str:
    """Return the SHA-256 digest of the canonical form of `plan`, in hexadecimal."""
    return digest_json(canonical_plan(plan))


def digest_compilation(plan: BuildPlan) -> str:
    """Return a digest of what the delegate's wheel depends on, in hexadecimal.

    What is done with a built wheel is left out: its audit and its names.
    """
    canonical = canonical_plan(plan)
    settings = canonical_settings(plan.project.config)
    after = ("audit", "local-version", "platform-tag")
    canonical["settings"] = {
        key: value for key, value in settings.items() if not key.startswith(after)
    }
    del canonical["naming"]
    return digest_json(canonical)


def canonical_plan(plan: BuildPlan) -> dict[str, JSONValue]:
    """Return what the bytes of the wheel depend on, as JSON.

    Reasons, messages and origins are left out.
    """
    return {
        "variant": _variant(plan.variant),
        "platform": plan.platform,
        "soabi": plan.soabi,
        "delegate": {
            "backend": plan.delegate.backend,
            "settings": dict(plan.project.delegate_settings),
        },
        "settings": canonical_settings(plan.project.config),
        "naming": _naming(plan.naming),
        "flags": _flags(plan.flags),
        "compilers": {language: _compiler(compiler) for language, compiler in plan.compilers},
        "device": None if plan.device is None else _device(plan.device),
    }


def _variant(variant: Variant) -> dict[str, JSONValue]:
    return {"arch": variant.arch, "label": str(variant)}


def _naming(naming: Naming) -> dict[str, JSONValue]:
    return {"local": naming.local, "form": naming.form}


def _flags(flags: Flags) -> dict[str, JSONValue]:
    rust = flags.rust
    return {
        "languages": flags.languages,
        "c": flags.c,
        "cxx": flags.cxx,
        "fortran": flags.fortran,
        "link": flags.link,
        "recorded": flags.recorded,
        "isa_note": {
            "level": flags.isa_note.level,
            "protected": flags.isa_note.unprotected is None,
        },
        "rust": None
        if rust is None
        else {"target": rust.target, "compile": rust.compile, "link": rust.link},
    }


def _compiler(compiler: Compiler) -> dict[str, JSONValue]:
    return {
        "family": compiler.family,
        "version": compiler.version,
        "command": compiler.command,
        "target": compiler.target,
    }


def _device(device: DeviceBuild) -> dict[str, JSONValue]:
    """Leave out `jobs`: free memory differs from hook to hook, and changes no byte."""
    return {
        "toolkit": _toolkit(device.toolkit),
        "real": device.architectures.real,
        "ptx": device.architectures.ptx,
        "host_compiler": device.host_compiler,
        "host_flags": device.host_flags,
        "extra": device.extra,
    }


def _toolkit(toolkit: Toolkit) -> dict[str, JSONValue]:
    return {
        "kind": toolkit.kind,
        "version": toolkit.version,
        "release": toolkit.release,
        "root": toolkit.root,
        "compiler": toolkit.compiler,
        "include": toolkit.include,
        "libraries": toolkit.libraries,
        "origin": toolkit.origin,
        "clang": toolkit.clang,
        "arguments": toolkit.arguments,
    }
