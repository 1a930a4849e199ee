"""SOURCE_DATE_EPOCH, the time of new members in a wheel.

Source: https://reproducible-builds.org/specs/source-date-epoch/
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from variantbuild.errors import ConfigError

_VARIABLE = "SOURCE_DATE_EPOCH"


def read_source_date(env: Mapping[str, str]) -> int | None:
    """Return the time that `env` gives, in seconds since 1970; None without one.

    Raises ConfigError for anything but a whole number: a build that silently used another time
    would not be reproducible.
    """
    value = env.get(_VARIABLE, "")
    if not value:
        return None
    if re.fullmatch(r"[0-9]{1,18}", value) is None:
        raise ConfigError(
            f"the environment variable {_VARIABLE} is {value[:80]!r}: expected a whole number of "
            "seconds since 1970",
            hint="set it to the time of the last change, such as the output of "
            "`git log -1 --format=%ct`, or unset it",
        )
    return int(value)
