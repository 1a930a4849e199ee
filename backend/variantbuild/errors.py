"""The errors a user can cause: one base class, one subclass a stage.

Library code raises these; only the boundary (hooks and command line) prints them and exits.
"""

from __future__ import annotations


class VariantBuildError(Exception):
    """Describe a mistake or refusal in one sentence, with a hint and an exit code.

    `message` names the bad value, where it came from and what is wrong with it; `hint` says what
    to do. `exit_code` is 2 for wrong use or bad input, 1 where a check found something.
    """

    exit_code = 2

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return self.message if self.hint is None else f"{self.message}\n  hint: {self.hint}"


class ConfigError(VariantBuildError):
    """A setting is unknown, malformed or contradicts another."""


class ProbeError(VariantBuildError):
    """A fact that the build cannot do without could not be found on this machine."""


class VariantError(VariantBuildError):
    """A label names no variant, names two, or names one of another machine."""


class AcceleratorError(VariantBuildError):
    """A GPU toolkit is missing, contradicts itself, or cannot build for what is wanted."""


class FlagsError(VariantBuildError):
    """A compiler cannot be told to build for the variant."""


class DelegateError(VariantBuildError):
    """The wrapped backend is missing, lacks the hook, or failed."""


class WheelError(VariantBuildError):
    """A wheel is malformed, inconsistent or cannot be written."""


class AuditError(VariantBuildError):
    """A wheel's machine code does not hold what was asked or declared."""

    exit_code = 1


class RepairError(VariantBuildError):
    """A wheel cannot be repaired: a tool is missing or failed, or no policy fits its files."""
