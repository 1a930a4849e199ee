"""Build directories of the variant's own.

Objects are not rebuilt when flags change, by setuptools no more than by CMake or Meson. Each
variant, with each set of flags, therefore builds in a folder named after a digest of its plan.
"""

from __future__ import annotations

import re


def name_build(label: str, plan: str) -> str:
    """Return a file name for builds of variant `label` by `plan`, any text that tells plans apart.

    The same label and plan give the same name on every machine.
    """
    safe = re.sub(r"[^a-z0-9.]+", "_", label.lower()) or "plain"
    return f"variantbuild-{safe}-{digest(plan)[:10]}"


def digest(text: str) -> str:
    """Return the SHA-256 of `text` in hexadecimal."""
    # Imported on use: only builds name folders.
    from hashlib import sha256

    return sha256(text.encode()).hexdigest()
