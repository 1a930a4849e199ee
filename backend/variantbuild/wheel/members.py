"""The members of an archive as columns: tens of thousands in little memory, a value on request."""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from variantbuild.wheel.zipformat import Attributes, Member


class Columns(NamedTuple):
    """The fields of `Member`, each as a column, in the order of the central directory."""

    names: list[str]
    sizes: array[int]
    stored_sizes: array[int]
    crcs: array[int]
    offsets: array[int]
    header_sizes: array[int]
    stamps: array[int]
    attributes: list[Attributes]


class Members:
    """The members of an archive in the order of its central directory.

    As tuples they would take three times the memory; a `Member` is made whenever one is asked for.
    `columns` are for what looks at a field of all. `places` says where within the directory the
    entry of each begins.
    """

    def __init__(self) -> None:
        self.columns = Columns(
            [], array("Q"), array("Q"), array("I"), array("Q"), array("I"), array("I"), []
        )
        self.places = array("Q")

    def append(self, member: Member, place: int) -> None:
        """Add `member`, whose entry begins at `place`."""
        columns = self.columns
        columns.names.append(member.name)
        columns.sizes.append(member.size)
        columns.stored_sizes.append(member.stored_size)
        columns.crcs.append(member.crc)
        columns.offsets.append(member.offset)
        columns.header_sizes.append(member.header_size)
        columns.stamps.append(member.stamp)
        columns.attributes.append(member.attributes)
        self.places.append(place)

    def __getitem__(self, number: int) -> Member:
        names, sizes, stored_sizes, crcs, offsets, header_sizes, stamps, attributes = self.columns
        return Member(
            names[number],
            sizes[number],
            stored_sizes[number],
            crcs[number],
            offsets[number],
            header_sizes[number],
            stamps[number],
            attributes[number],
        )

    def __iter__(self) -> Iterator[Member]:
        return map(Member, *self.columns)

    def __len__(self) -> int:
        return len(self.columns.names)


class MembersByName(Mapping[str, Member]):
    """The same by name. `numbers` has the place of each in the order of the directory."""

    def __init__(self, members: Members) -> None:
        self._members = members
        self.numbers = dict(zip(members.columns.names, range(len(members)), strict=True))

    def __getitem__(self, name: str) -> Member:
        return self._members[self.numbers[name]]

    def __contains__(self, name: object) -> bool:
        return name in self.numbers

    def __iter__(self) -> Iterator[str]:
        return iter(self.numbers)

    def __len__(self) -> int:
        return len(self.numbers)
