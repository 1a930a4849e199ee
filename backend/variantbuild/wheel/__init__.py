"""Wheels as archives of bytes: open, verify, plan an edit, apply it.

A wheel is verified whole before a byte of it is written anew, unchanged members are copied
compressed as they lie, and what appears under a final name is complete.

>>> import tempfile, pathlib
>>> from variantbuild.wheel import Stamp, apply_edit, open_wheel, plan_stamp, verify_wheel
>>> def stamp(path: str, folder: str) -> pathlib.Path:
...     with open_wheel(path) as wheel:
...         inventory = verify_wheel(wheel)
...         for member in inventory.files:
...             for portion in wheel.stream(member):
...                 pass  # at most 64 KiB at a time
...         plan = plan_stamp(
...             inventory,
...             Stamp(
...                 local_version="cu12.v3",
...                 file_platforms=("linux_x86_64", "linux_x86_64_v3_cu12"),
...                 wheel_platforms=("linux_x86_64", "linux_x86_64_v3_cu12"),
...             ),
...         )
...         return apply_edit(wheel, plan, folder)

Every refusal is an `UnsoundWheelError` that names the wheel, the member and the reason; what the
system refuses (no file, a full disk) is a plain `WheelError`.
"""

from __future__ import annotations

from variantbuild.wheel.edit import Edit, NewMember, Plan, plan_edit
from variantbuild.wheel.errors import UnsoundWheelError
from variantbuild.wheel.filename import WheelFileName, normal_name, normal_version
from variantbuild.wheel.labels import Stamp, join_local, name_stamp, plan_stamp
from variantbuild.wheel.patch import plan_patch
from variantbuild.wheel.reader import Wheel, open_wheel
from variantbuild.wheel.rewrite import apply_edit
from variantbuild.wheel.unstamp import plan_unstamp
from variantbuild.wheel.verify import Inventory, verify_wheel
from variantbuild.wheel.zipformat import Member

__all__ = [
    "Edit",
    "Inventory",
    "Member",
    "NewMember",
    "Plan",
    "Stamp",
    "UnsoundWheelError",
    "Wheel",
    "WheelFileName",
    "apply_edit",
    "join_local",
    "name_stamp",
    "normal_name",
    "normal_version",
    "open_wheel",
    "plan_edit",
    "plan_patch",
    "plan_stamp",
    "plan_unstamp",
    "verify_wheel",
]
