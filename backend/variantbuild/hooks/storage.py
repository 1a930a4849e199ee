"""Failed writes that no stage expected: a sentence with the path and the remedy, no traceback."""

from __future__ import annotations

from collections.abc import Iterator
from types import CodeType

from variantbuild.delegate.backend import Delegate
from variantbuild.errors import WheelError
from variantbuild.host.durable import storage_remedy, temporary_directory
from variantbuild.messages import Reporter


def refuse_storage(error: OSError, reporter: Reporter) -> None:
    """Raise WheelError if `error` is a failed write of ours.

    One of the wrapped backend is its own exception: only path and remedy are added, as a note.
    """
    remedy = storage_remedy(error)
    if remedy is None:
        return
    path = error.filename or f"a file (temporary files are in {temporary_directory()})"
    message = f"{path} cannot be written: {error.strerror or error}"
    if Delegate.call.__code__ not in _functions(error):
        raise WheelError(message, hint=remedy) from None
    reporter.note(f"the wrapped backend failed: {message}; {remedy}")


def _functions(error: OSError) -> Iterator[CodeType]:
    """Yield the functions that the error passed through."""
    trace = error.__traceback__
    while trace is not None:
        yield trace.tb_frame.f_code
        trace = trace.tb_next
