"""What a setting is: its key, kind, default and documentation, and how a raw value is parsed.

The functions `text`, `choice`, `flag`, `words` and `tables` declare a setting as a field of the
dataclass `Config`; everything that is known about it travels in the field's metadata.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterable, Sequence
from typing import Literal, TypeVar, cast, get_args

from variantbuild.types import TOMLValue
from variantbuild.values import dataclass

Kind = Literal["text", "choice", "bool", "list", "tables"]
Value = str | bool | tuple[str, ...] | None

PREFIX = "variantbuild."
ENV_PREFIX = "VARIANTBUILD_"

#: The key of a field's metadata under which its `Setting` is found.
METADATA = "setting"

_BOOLEANS = {"true": True, "1": True, "on": True, "false": False, "0": False, "off": False}

OptionalText = TypeVar("OptionalText", str, str | None)
Choice = TypeVar("Choice", bound=str)
Tables = TypeVar("Tables", bound=tuple[object, ...])


@dataclass(frozen=True, kw_only=True, slots=True)
class Setting:
    """One key of `[tool.variantbuild]`.

    `values` and `doc` are Markdown. `choices` is empty unless the kind is `choice`. `in_target`
    means that `target` sets this key too; `early` that the key takes part in choosing the variant,
    so that an override can change it only under a condition known before that; `in_wheel` that
    the bytes of the wheel depend on it.
    """

    key: str
    kind: Kind
    default: Value
    values: str
    doc: str
    choices: tuple[str, ...] = ()
    in_target: bool = False
    early: bool = False
    in_wheel: bool = True

    @property
    def variable(self) -> str:
        """The environment variable that sets it."""
        return variable_of(self.key)

    @property
    def field(self) -> str:
        """The attribute of `Config` that holds it."""
        return self.key.replace("-", "_").replace(".", "_")


def variable_of(key: str) -> str:
    """Return the variable that sets `key`: `cuda.version` → VARIANTBUILD_CUDA_VERSION."""
    return ENV_PREFIX + key.upper().replace(".", "_").replace("-", "_")


def text(
    key: str,
    *,
    default: OptionalText,
    values: str,
    doc: str,
    in_target: bool = False,
    early: bool = False,
) -> OptionalText:
    """Declare a setting that holds any string."""
    setting = Setting(
        key=key,
        kind="text",
        default=default,
        values=values,
        doc=doc,
        in_target=in_target,
        early=early,
    )
    return dataclasses.field(default=default, metadata={METADATA: setting})


def choice(
    key: str,
    literal: object,
    *,
    default: Choice,
    doc: str,
    in_target: bool = False,
    early: bool = False,
) -> Choice:
    """Declare a setting that holds one of the strings of the type `literal` (a `Literal`)."""
    choices = cast("tuple[str, ...]", get_args(literal))
    setting = Setting(
        key=key,
        kind="choice",
        default=default,
        values=", ".join(f"`{each}`" for each in choices),
        doc=doc,
        choices=choices,
        in_target=in_target,
        early=early,
    )
    return dataclasses.field(default=default, metadata={METADATA: setting})


def flag(
    key: str,
    *,
    default: bool,
    doc: str,
    in_target: bool = False,
    early: bool = False,
    in_wheel: bool = True,
) -> bool:
    """Declare a setting that is true or false."""
    setting = Setting(
        key=key,
        kind="bool",
        default=default,
        values="`true`, `false`",
        doc=doc,
        in_target=in_target,
        early=early,
        in_wheel=in_wheel,
    )
    return dataclasses.field(default=default, metadata={METADATA: setting})


def words(
    key: str,
    *,
    values: str,
    doc: str,
    default: tuple[str, ...] = (),
    early: bool = False,
    in_target: bool = False,
) -> tuple[str, ...]:
    """Declare a setting that holds a list of strings."""
    setting = Setting(
        key=key,
        kind="list",
        default=default,
        values=values,
        doc=doc,
        early=early,
        in_target=in_target,
    )
    return dataclasses.field(default=default, metadata={METADATA: setting})


def compiler_flags(key: str, language: str) -> tuple[str, ...]:
    """Declare a setting that holds more compiler flags for a language."""
    doc = f"More flags for {language}, appended after ours and after the project's own."
    return words(key, values="compiler flags", doc=doc)


def device_flags(key: str, language: str, compiler: str) -> tuple[str, ...]:
    """Declare a setting that holds more options for a GPU compiler."""
    doc = f"More options for {language}, appended after ours."
    return words(key, values=f"{compiler} options", doc=doc)


def release(key: str, *, values: str, doc: str) -> str:
    """Declare a setting that holds the release of a GPU toolkit."""
    return text(key, default="auto", values=values, doc=doc, early=True, in_target=True)


def tables(key: str, *, default: Tables, values: str, doc: str) -> Tables:
    """Declare a setting that holds an array of tables, whose contents are parsed elsewhere."""
    setting = Setting(key=key, kind="tables", default=(), values=values, doc=doc)
    return dataclasses.field(default=default, metadata={METADATA: setting})


def parse_value(setting: Setting, raw: TOMLValue) -> Value:
    """Convert a raw value to the setting's kind; raises ValueError with what was expected."""
    match setting.kind:
        case "bool":
            if isinstance(raw, bool):
                return raw
            if isinstance(raw, str) and raw.lower() in _BOOLEANS:
                return _BOOLEANS[raw.lower()]
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
            if isinstance(raw, Sequence) and not isinstance(raw, str):
                raise ValueError("expected one value, not a list")  # noqa: TRY004 - parsing
            raise ValueError("expected a non-empty string in quotes")
        case "tables":
            raise ValueError("only pyproject.toml and settings files can contain it")


def nearest(word: str, names: Iterable[str]) -> str:
    """Suggest the name closest to `word`, as the end of a sentence; '' if none is close."""
    close = closest(word, names)
    return "" if close is None else f"; did you mean {close!r}?"


def closest(word: str, names: Iterable[str]) -> str | None:
    """Return the name closest to `word`, None if none is close.

    One that begins with the word, or with which the word begins, comes before one that is alike.
    """
    import difflib

    plain = {re.sub(r"[._]", "-", name.lower()): name for name in names}
    word = re.sub(r"[._]", "-", word.lower().strip())
    if len(word) > 2:
        longer = [each for each in plain if each.startswith(word)]
        shorter = [each for each in plain if len(each) > 2 and word.startswith(each)]
        for each in (*sorted(longer, key=len), *sorted(shorter, key=len, reverse=True)):
            return plain[each]
    close = difflib.get_close_matches(word, list(plain), 1, 0.5)
    return plain[close[0]] if close else None
