"""Tells code from constant data, which old linkers put into the executable segment as well."""

from __future__ import annotations

from iced_x86 import Code, Decoder, FlowControl, Instruction

from variantbuild.audit.x86.body import Body
from variantbuild.binary.elf.loaded import Loaded

_SHF_ALLOC, _SHF_EXECINSTR = 2, 4
_MOST_PLAUSIBLE = 1024
_ENDS = frozenset(
    {FlowControl.RETURN, FlowControl.UNCONDITIONAL_BRANCH, FlowControl.INDIRECT_BRANCH}
)


def may_be_code(image: Loaded, address: int) -> bool:
    """Return whether there may be code at `address`.

    Where the section headers say that it is data, it must look like code from there on.
    """
    if not is_called_data(image, address):
        return True
    last = address + _MOST_PLAUSIBLE
    for each in Decoder(64, image.read(address, last - address), ip=address):
        if _is_odd(each):
            return False
        if each.flow_control in _ENDS:
            break
    else:
        return False
    return is_plausible(image, Body(image, address, last, frozenset()))


def is_called_data(image: Loaded, address: int) -> bool:
    """Return whether a section header says that `address` is data."""
    return any(
        each.flags & _SHF_ALLOC
        and not each.flags & _SHF_EXECINSTR
        and each.address <= address < each.address + each.size
        for each in image.elf.sections
    )


def _is_odd(each: Instruction) -> bool:
    """Return whether no compiler writes the instruction; zeros are one."""
    return (
        each.code in (Code.INVALID, Code.ADD_RM8_R8)
        or each.is_privileged
        or each.flow_control == FlowControl.INTERRUPT
    )


def is_plausible(image: Loaded, body: Body) -> bool:
    """Return whether the code in `body` has nothing that no compiler writes."""
    blocks = body.blocks.values()
    return not any(_is_odd(each) for block in blocks for each in block.body) and all(
        target == body.end or image.is_code(target) for block in blocks for target in block.leaves
    )
