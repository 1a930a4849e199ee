"""Value classes behave like frozen dataclasses of the standard library."""

from __future__ import annotations

import copy
import dataclasses
import pickle
from collections.abc import Callable
from typing import Generic, TypeVar, cast

import pytest

from variantbuild import values

T = TypeVar("T")


@values.dataclass(frozen=True, slots=True, kw_only=True)
class Ours:
    """A value with every kind of field."""

    name: str
    size: int = 3
    parts: list[int] = dataclasses.field(default_factory=list, compare=False)
    hidden: int = dataclasses.field(default=7, repr=False, metadata={"unit": "MB"})


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Standard:
    """The same by the standard decorator."""

    name: str
    size: int = 3
    parts: list[int] = dataclasses.field(default_factory=list, compare=False)
    hidden: int = dataclasses.field(default=7, repr=False, metadata={"unit": "MB"})


@values.dataclass(frozen=True, slots=True)
class Pair(Generic[T]):
    """A value with positional arguments and a check."""

    first: T
    second: int = 2

    def __post_init__(self) -> None:
        if self.second < 0:
            raise ValueError("second is negative")

    def __str__(self) -> str:
        return f"{self.first}/{self.second}"


@values.dataclass(frozen=True, slots=True, kw_only=True)
class Empty:
    """A value without fields."""


def pickled(value: Ours) -> Ours:
    return cast("Ours", pickle.loads(pickle.dumps(value)))


def call(function: object, *values: object, **named: object) -> object:
    """Call `function` with arguments that its type does not allow."""
    assert callable(function)
    return function(*values, **named)


BOTH = pytest.mark.parametrize("make", [Ours, Standard])


@BOTH
def test_fields_and_defaults(make: type[Ours]) -> None:
    value = make(name="a")
    assert (value.name, value.size, value.parts, value.hidden) == ("a", 3, [], 7)
    assert make(name="a").parts is not value.parts
    assert make(name="b", size=1, parts=[4], hidden=5).parts == [4]


@BOTH
def test_equality_and_hash(make: type[Ours]) -> None:
    assert make(name="a") == make(name="a", parts=[1])
    assert make(name="a") != make(name="a", hidden=8)
    assert hash(make(name="a")) == hash(("a", 3, 7))
    assert make(name="a") != cast("object", ("a", 3, 7))


def test_other_class_is_not_equal() -> None:
    standard: object = Standard(name="a")
    assert Ours(name="a") != standard


@BOTH
def test_repr(make: type[Ours]) -> None:
    assert repr(make(name="a")) == f"{make.__name__}(name='a', size=3, parts=[])"


@BOTH
def test_cannot_be_changed(make: type[Ours]) -> None:
    value = make(name="a")
    with pytest.raises(dataclasses.FrozenInstanceError):
        setattr(value, "name", "b")  # noqa: B010 - mypy would refuse the assignment
    with pytest.raises(dataclasses.FrozenInstanceError):
        delattr(value, "name")
    assert value.name == "a"
    assert not hasattr(value, "__dict__")


@BOTH
@pytest.mark.parametrize(
    "copied", [copy.copy, copy.deepcopy, lambda v: pickle.loads(pickle.dumps(v))]
)
def test_copies(make: type[Ours], copied: Callable[[Ours], Ours]) -> None:
    value = make(name="a", parts=[1])
    other = copied(value)
    assert other == value
    assert other.parts == [1]
    assert other is not value


@BOTH
def test_functions_of_the_standard_library(make: type[Ours]) -> None:
    value = make(name="a")
    assert dataclasses.replace(value, size=9).size == 9
    assert [each.name for each in dataclasses.fields(make)] == ["name", "size", "parts", "hidden"]
    assert dataclasses.fields(make)[3].metadata["unit"] == "MB"
    assert dataclasses.asdict(value) == {"name": "a", "size": 3, "parts": [], "hidden": 7}


@BOTH
@pytest.mark.parametrize(
    ("positional", "named"),
    [
        ((), {}),
        ((), {"size": 1, "parts": [], "hidden": 1}),
        ((), {"name": "a", "colour": 1}),
        ((), {"size": 1, "parts": [], "hidden": 1, "colour": 1}),
        (("a",), {}),
        (("a",), {"name": "a"}),
    ],
)
def test_wrong_arguments(
    make: type[Ours], positional: tuple[str, ...], named: dict[str, object]
) -> None:
    with pytest.raises(TypeError):
        call(make, *positional, **named)


def test_positional_arguments() -> None:
    assert Pair("a") == Pair(first="a", second=2) == Pair("a", second=2)
    assert str(Pair("a", 4)) == "a/4"
    with pytest.raises(TypeError, match="takes 2 positional"):
        call(Pair, "a", 2, 3)
    with pytest.raises(TypeError, match="first"):
        call(Pair, "a", first="b")
    with pytest.raises(TypeError, match="lacks the arguments"):
        call(Pair)
    with pytest.raises(TypeError, match="colour"):
        call(Pair, first="a", colour=3)
    match Pair("a", 4):
        case Pair(first, second):
            assert (first, second) == ("a", 4)


def test_check_after_initialisation() -> None:
    with pytest.raises(ValueError, match="negative"):
        Pair("a", -1)
    with pytest.raises(ValueError, match="negative"):
        dataclasses.replace(Pair("a"), second=-1)


def test_without_fields() -> None:
    assert Empty() == Empty()
    assert repr(Empty()) == "Empty()"


def test_only_frozen_classes_with_slots() -> None:
    for wrong in ({"frozen": False, "slots": True}, {"frozen": True, "slots": False}):
        with pytest.raises(AssertionError):
            call(values.dataclass, **wrong)


def test_methods_are_shared() -> None:
    assert Ours.__repr__ is Pair.__repr__
    assert Ours.__setattr__ is Pair.__setattr__
