"""variantbuild: a PEP 517 and PEP 660 build backend that wraps another one.

Only the names of the hooks are defined here; each hook is loaded on use. An optional hook exists
exactly if the wrapped backend has it, so that front ends take the route they would take for that
backend.
"""

from __future__ import annotations

__all__ = ["build_sdist", "build_wheel"]


def __getattr__(name: str) -> object:
    if name == "UnsupportedOperation":
        from variantbuild.errors import UnsupportedOperation

        return UnsupportedOperation
    if name.startswith(("build_", "prepare_metadata_for_", "get_requires_for_")):
        from variantbuild import hooks

        hook = hooks.find_hook(name)
        if hook is not None:
            return hook
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
