"""What keeps a machine from running or building a variant, as a value."""

from __future__ import annotations

from typing import Literal

from variantbuild.values import dataclass

#: What the machine lacks, or has in another kind.
Subject = Literal[
    "architecture", "cpu", "distro", "driver", "gpu", "compiler", "toolkit", "host-compiler"
]


@dataclass(frozen=True, kw_only=True, slots=True)
class Obstacle:
    """One obstacle: its `subject`, and a clause that describes the problem to the user."""

    subject: Subject
    text: str

    def __str__(self) -> str:
        return self.text
