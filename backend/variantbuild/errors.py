"""Errors that a user can cause: one base class, and a subclass for each stage.

Library code raises them; only the hooks and the command line print them and exit.
"""

from __future__ import annotations


class VariantBuildError(Exception):
    """An error with a one-sentence message, an optional hint and an exit code.

    `message` names the bad value, its origin and what is wrong with it; `hint` names the remedy.
    `exit_code` is 2 for wrong use or bad input, 1 if a check found something.
    """

    exit_code = 2

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return self.message if self.hint is None else f"{self.message}\n  hint: {self.hint}"


class ConfigError(VariantBuildError):
    """A setting is unknown, malformed or in conflict with another."""


class ProbeError(VariantBuildError):
    """A fact that the build needs could not be detected on this machine."""


class VariantError(VariantBuildError):
    """A label is not a variant, is ambiguous, or is for another architecture."""


class AcceleratorError(VariantBuildError):
    """A GPU toolkit is missing, inconsistent, or cannot build for the target."""


class FlagsError(VariantBuildError):
    """A compiler has no options for the variant."""


class DelegateError(VariantBuildError):
    """The wrapped backend is missing, lacks the hook, or failed."""


class UnavailableDelegateError(DelegateError):
    """The wrapped backend is not installed."""


class UnsupportedOperation(Exception):  # noqa: N818 - the name that PEP 517 gives it
    """The wrapped backend cannot build what was asked for, such as an sdist (PEP 517).

    Front ends look for it by its name in the package, and handle it on their own.
    """


class WheelError(VariantBuildError):
    """A wheel is malformed, inconsistent or cannot be written."""


class AuditError(VariantBuildError):
    """A wheel's machine code does not match the variant that was requested or declared."""

    exit_code = 1


class RepairError(VariantBuildError):
    """A wheel cannot be repaired: a tool is missing or failed, or no policy applies."""


class BundleError(VariantBuildError):
    """Wheels cannot be bundled: they do not belong together, or a tool is missing."""


class BundleCheckError(VariantBuildError):
    """A command did not run at a level of a bundle, or did not load the level's copy."""

    exit_code = 1
