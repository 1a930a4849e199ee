"""variantbuild: a PEP 517 and PEP 660 build backend that wraps another one.

The hooks' names stand here and nothing else: each is loaded on use. Optional hooks exist exactly
where the wrapped backend has them, so that front ends choose the way they would choose for it.
"""

from __future__ import annotations

__all__ = ["build_sdist", "build_wheel"]


def __getattr__(name: str) -> object:
    if name.startswith(("build_", "prepare_metadata_for_", "get_requires_for_")):
        from variantbuild import hooks

        hook = hooks.find_hook(name)
        if hook is not None:
            return hook
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
