"""The members of an archive, stored as columns to save memory."""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Mapping

from variantbuild.wheel.archive.zipformat import Attributes, Member


class Members:
    """The members of an archive in the order of its central directory.

    As tuples, tens of thousands of members would take three times the memory; a `Member` is created
    on each access. The columns are the fields of `Member`; `places` are the offsets of their
    entries within the directory.
    """

    def __init__(self) -> None:
        self.names: list[str] = []
        self.sizes = array("Q")
        self.stored_sizes = array("Q")
        self.crcs = array("I")
        self.offsets = array("Q")
        self.header_sizes = array("I")
        self.stamps = array("I")
        self.attributes: list[Attributes] = []
        self.places = array("Q")

    def append(self, member: Member, place: int) -> None:
        """Add `member`, whose entry begins at `place` in the directory."""
        self.names.append(member.name)
        self.sizes.append(member.size)
        self.stored_sizes.append(member.stored_size)
        self.crcs.append(member.crc)
        self.offsets.append(member.offset)
        self.header_sizes.append(member.header_size)
        self.stamps.append(member.stamp)
        self.attributes.append(member.attributes)
        self.places.append(place)

    def __getitem__(self, number: int) -> Member:
        return Member(
            self.names[number],
            self.sizes[number],
            self.stored_sizes[number],
            self.crcs[number],
            self.offsets[number],
            self.header_sizes[number],
            self.stamps[number],
            self.attributes[number],
        )

    def __iter__(self) -> Iterator[Member]:
        return map(self.__getitem__, range(len(self)))

    def __len__(self) -> int:
        return len(self.names)


class MembersByName(Mapping[str, Member]):
    """The members by name. `numbers` are their indices in the order of the directory."""

    def __init__(self, members: Members) -> None:
        self._members = members
        self.numbers = dict(zip(members.names, range(len(members)), strict=True))

    def __getitem__(self, name: str) -> Member:
        return self._members[self.numbers[name]]

    def __contains__(self, name: object) -> bool:
        return name in self.numbers

    def __iter__(self) -> Iterator[str]:
        return iter(self.numbers)

    def __len__(self) -> int:
        return len(self.numbers)
