"""The table of settings, data/settings.json: names, kinds, defaults, and values read as such."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal, cast

from variantbuild.data import load_table
from variantbuild.types import TOMLValue

Kind = Literal["text", "choice", "bool", "list", "tables"]
Value = str | bool | tuple[str, ...] | None

PREFIX = "variantbuild."
ENV_PREFIX = "VARIANTBUILD_"


def variable_of(key: str) -> str:
    """Return the variable that sets `key`: `cuda.version` → VARIANTBUILD_CUDA_VERSION."""
    return ENV_PREFIX + key.upper().replace(".", "_").replace("-", "_")


@dataclass(frozen=True, slots=True)
class Setting:
    """One key: its name, kind, default, and words for people."""

    key: str
    kind: Kind
    default: Value
    choices: tuple[str, ...]
    values: str
    doc: str

    @property
    def variable(self) -> str:
        """The environment variable that sets it."""
        return variable_of(self.key)


def settings() -> tuple[Setting, ...]:
    """Return every setting, in the order of the documentation."""
    rows = cast("list[dict[str, TOMLValue]]", load_table("settings")["settings"])
    return tuple(
        Setting(
            key=str(row["key"]),
            kind=cast("Kind", row["kind"]),
            default=_freeze(row["default"]),
            choices=tuple(cast("list[str]", row.get("choices", []))),
            values=str(row["values"]),
            doc=str(row["doc"]),
        )
        for row in rows
    )


def parse_value(setting: Setting, raw: TOMLValue) -> Value:
    """Turn a raw value into the setting's kind; raises ValueError with what is expected."""
    match setting.kind:
        case "bool":
            words = {"true": True, "1": True, "on": True, "false": False, "0": False, "off": False}
            if isinstance(raw, bool):
                return raw
            if isinstance(raw, str) and raw.lower() in words:
                return words[raw.lower()]
            raise ValueError("expected true or false")
        case "choice":
            if isinstance(raw, str) and raw in setting.choices:
                return raw
            near = nearest(raw, setting.choices) if isinstance(raw, str) else ""
            raise ValueError(f"expected one of {', '.join(setting.choices)}{near}")
        case "list":
            if isinstance(raw, str):
                return tuple(part.strip() for part in raw.split(";") if part.strip())
            if isinstance(raw, Sequence) and all(isinstance(part, str) for part in raw):
                return tuple(cast("Sequence[str]", raw))
            raise ValueError("expected a list of strings")
        case "text":
            if isinstance(raw, str) and raw.strip():
                return raw.strip()
            raise ValueError("expected a string in quotes that is not empty")
        case "tables":
            raise ValueError("it can stand in pyproject.toml and settings files only")


def nearest(word: str, names: Iterable[str]) -> str:
    """Say which of `names` was meant by `word`, as the end of a sentence; '' where none is near."""
    import difflib

    close = difflib.get_close_matches(word.lower().replace("_", "-"), list(names), 1, 0.5)
    return f"; did you mean {close[0]!r}?" if close else ""


def _freeze(value: TOMLValue) -> Value:
    if isinstance(value, list):
        return tuple(str(part) for part in value)
    return cast("Value", value)
