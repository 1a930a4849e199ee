"""Value classes: `dataclasses.dataclass` with methods that are not compiled for each class.

The standard decorator compiles the methods of a class: 0.5 ms of CPU time, and a hook defines a
hundred classes, most of which it instantiates a few times. Here only the fields come from the
standard library, and the classes share functions: 0.05 ms.

For a type checker `dataclass` is the standard decorator, applied to frozen classes with slots that
inherit no fields. The functions of the standard library, such as `replace`, take these classes too.
A class that is instantiated thousands of times uses the standard decorator.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import MISSING, FrozenInstanceError
from operator import attrgetter
from typing import TYPE_CHECKING, Literal, NoReturn, Protocol, TypeVar, cast

if TYPE_CHECKING:
    from dataclasses import Field, dataclass

__all__ = ["dataclass"]

T = TypeVar("T")


class _Slot(Protocol):
    """The descriptor of a slot."""

    def __set__(self, instance: object, value: object) -> None: ...


def _dataclass(
    *, frozen: Literal[True], slots: Literal[True], kw_only: bool = False
) -> Callable[[type[T]], type[T]]:
    """Return the decorator, whose arguments are those of the standard one."""
    assert frozen, "only frozen classes can share their methods"
    assert slots, "the shared methods need slots"
    standard = dataclasses.dataclass(init=False, repr=False, eq=False, slots=True, kw_only=kw_only)

    def decorate(cls: type[T]) -> type[T]:
        made = standard(cls)
        methods = {**_SHARED, **_comparison(made), "__init__": _initialiser(made)}
        for name, method in methods.items():
            if name not in cls.__dict__:
                setattr(made, name, method)
        return made

    return decorate


def _fields(made: type) -> Mapping[str, Field[object]]:
    return cast("Mapping[str, Field[object]]", made.__dict__["__dataclass_fields__"])


def _names(made: type) -> tuple[str, ...]:
    return cast("tuple[str, ...]", made.__dict__["__slots__"])


def _initialiser(made: type) -> object:
    """Return the `__init__` of the class `made`, which sets its slots."""
    slots = [(name, cast("_Slot", made.__dict__[name]).__set__) for name in _names(made)]
    fields = _fields(made).values()
    defaults = {each.name: each.default for each in fields if each.default is not MISSING}
    has_factories = any(each.default_factory is not MISSING for each in fields)
    finish = cast("Callable[[object], None] | None", getattr(made, "__post_init__", None))

    def __init__(self: object, *values: object, **given: object) -> None:  # noqa: N807 - becomes a method of a class
        if values or has_factories:
            given = _bind(made, values, given)
        elif len(given) != len(slots):
            given = {**defaults, **given}
        try:
            for name, put in slots:
                put(self, given[name])
        except KeyError:
            _bind(made, values, given)
        if len(given) != len(slots):
            _bind(made, values, given)
        if finish is not None:
            finish(self)

    return __init__


def _bind(made: type, values: tuple[object, ...], given: Mapping[str, object]) -> dict[str, object]:
    """Return a value for each field from the arguments of a call and from the defaults.

    Raises TypeError if one is missing, or an argument belongs to no field.
    """
    fields = _fields(made)
    positions = [each.name for each in fields.values() if not each.kw_only]
    if len(values) > len(positions):
        raise TypeError(f"{made.__name__} takes {len(positions)} positional arguments: {values!r}")
    bound = dict(zip(positions, values))  # noqa: B905 - there may be fewer values
    accepted = {each.name for each in fields.values() if each.init} - bound.keys()
    if wrong := sorted(given.keys() - accepted):
        raise TypeError(f"{made.__name__} got unexpected or repeated arguments: {wrong}")
    bound.update(given)
    for each in fields.values():
        if each.name not in bound and each.default is not MISSING:
            bound[each.name] = each.default
        elif each.name not in bound and each.default_factory is not MISSING:
            bound[each.name] = each.default_factory()
    if missing := [name for name in fields if name not in bound]:
        raise TypeError(f"{made.__name__} lacks the arguments {missing}")
    return bound


def _comparison(made: type) -> dict[str, object]:
    """Return `__eq__` and `__hash__` of the class `made`, over its fields."""
    names = tuple(each.name for each in _fields(made).values() if each.compare)
    key: Callable[[object], object] = attrgetter(*names) if names else lambda _: ()

    def __eq__(self: object, other: object) -> bool:  # noqa: N807 - becomes a method of a class
        return key(self) == key(other) if other.__class__ is made else NotImplemented

    def __hash__(self: object) -> int:  # noqa: N807 - becomes a method of a class
        return hash(key(self))

    return {"__eq__": __eq__, "__hash__": __hash__}


def _show(self: object) -> str:
    fields = (each.name for each in _fields(type(self)).values() if each.repr)
    shown = ", ".join(f"{name}={getattr(self, name)!r}" for name in fields)
    return f"{type(self).__qualname__}({shown})"


def _refuse_assignment(self: object, name: str, value: object) -> NoReturn:
    raise FrozenInstanceError(f"cannot assign to field {name!r}")


def _refuse_deletion(self: object, name: str) -> NoReturn:
    raise FrozenInstanceError(f"cannot delete field {name!r}")


def _get_state(self: object) -> list[object]:
    """Return the state for copies and pickles."""
    return [getattr(self, name) for name in _names(type(self))]


def _set_state(self: object, state: list[object]) -> None:
    for name, value in zip(_names(type(self)), state, strict=True):
        object.__setattr__(self, name, value)


_SHARED: Mapping[str, object] = {
    "__repr__": _show,
    "__setattr__": _refuse_assignment,
    "__delattr__": _refuse_deletion,
    "__getstate__": _get_state,
    "__setstate__": _set_state,
}

if not TYPE_CHECKING:
    dataclass = _dataclass
