"""Types of values from outside: JSON, TOML and config-settings."""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence
from typing import Union

JSONValue = Union[  # noqa: UP007 - recursive aliases need Union on 3.10
    None, bool, int, float, str, Sequence["JSONValue"], Mapping[str, "JSONValue"]
]
TOMLValue = Union[  # noqa: UP007 - recursive as well
    bool,
    int,
    float,
    str,
    datetime.datetime,
    datetime.date,
    datetime.time,
    Sequence["TOMLValue"],
    Mapping[str, "TOMLValue"],
]
# Evaluated at run time with the annotations of the hooks, on 3.10 too.
ConfigSettings = Mapping[str, Union[str, Sequence[str], bool, None]]  # noqa: UP007 - an alias
