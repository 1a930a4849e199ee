"""Opens, verifies and edits wheels as archives of bytes.

A wheel is completely verified before it is rewritten, unchanged members are copied in compressed
form, and a file under its final name is always complete.

>>> import tempfile, pathlib
>>> from variantbuild.stamp import Stamp, plan_stamp
>>> from variantbuild.wheel import apply_edit, open_wheel, verify_wheel
>>> def stamp(path: str, directory: str) -> pathlib.Path:
...     with open_wheel(path) as wheel:
...         inventory = verify_wheel(wheel)
...         for member in inventory.files:
...             for chunk in wheel.stream(member):
...                 pass  # at most 64 KiB at a time
...         plan = plan_stamp(
...             inventory,
...             Stamp(
...                 local_version="cu12.v3",
...                 file_platforms=("linux_x86_64", "linux_x86_64_v3_cu12"),
...                 wheel_platforms=("linux_x86_64", "linux_x86_64_v3_cu12"),
...             ),
...         )
...         return apply_edit(wheel, plan, directory)

A wheel that fails a check raises `UnsoundWheelError` with the wheel, the member and the reason;
failures of the operating system (no such file, disk full) raise a plain `WheelError`.
"""

from __future__ import annotations

from variantbuild.wheel.archive.zipformat import Member
from variantbuild.wheel.filename import WheelFileName, normal_name, normal_version
from variantbuild.wheel.reader import Wheel, open_wheel
from variantbuild.wheel.rewrite.apply import apply_edit
from variantbuild.wheel.rewrite.edit import Edit, NewMember, Plan, plan_edit
from variantbuild.wheel.rewrite.patch import plan_patch
from variantbuild.wheel.unsound import UnsoundWheelError
from variantbuild.wheel.verify import Inventory, verify_wheel

__all__ = [
    "Edit",
    "Inventory",
    "Member",
    "NewMember",
    "Plan",
    "UnsoundWheelError",
    "Wheel",
    "WheelFileName",
    "apply_edit",
    "normal_name",
    "normal_version",
    "open_wheel",
    "plan_edit",
    "plan_patch",
    "verify_wheel",
]
