"""A separate build directory for each variant.

Neither setuptools nor CMake nor Meson rebuilds objects when flags change. Each variant therefore
builds, with each set of flags, in a directory that is named after a digest of its plan.
"""

from __future__ import annotations

import re

#: A label without `-`, a digest of the plan, and one of the user's own flags if there are any.
#: Where the user names a build directory it comes first.
_NAME = re.compile(r"(?:.+-)?variantbuild-[a-z0-9._]+-[0-9a-f]{10}(?:-[0-9a-f]{6})?", re.ASCII)


def name_build(label: str, plan: str) -> str:
    """Return a directory name for builds of variant `label` by `plan`, any text unique to the plan.

    The same label and plan give the same name on every machine.
    """
    safe = re.sub(r"[^a-z0-9.]+", "_", label.lower()) or "plain"
    return f"variantbuild-{safe}-{digest(plan)[:10]}"


def is_build_name(name: str) -> bool:
    """Return whether `name` is that of a build directory: from `name_build`, or ending with one."""
    return _NAME.fullmatch(name) is not None


def digest(text: str) -> str:
    """Return the SHA-256 of `text` in hexadecimal."""
    # Imported here: only builds name directories.
    from hashlib import sha256

    return sha256(text.encode()).hexdigest()
