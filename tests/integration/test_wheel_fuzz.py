"""The fuzzer for a limited time, and properties of round trips.

FUZZ_SECONDS sets the fuzzer's time (10 s); `python -m wheels.fuzz` runs it by hand.
"""

from __future__ import annotations

import os
import resource
import string
import tempfile
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from variantbuild.stamp import name_stamp, plan_stamp
from variantbuild.stamp.unstamp import plan_unstamp
from variantbuild.wheel import apply_edit, open_wheel, verify_wheel
from wheels.forge import Draft
from wheels.fuzz import Fuzzer

SECONDS = float(os.environ.get("FUZZ_SECONDS", "10"))


def test_fuzzer_finds_no_crash_no_hang_and_little_memory(tmp_path: Path) -> None:
    fuzzer = Fuzzer(20_261_121, tmp_path)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    tally = fuzzer.run(SECONDS)
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert tally.executions > 20 * SECONDS
    assert 0 < tally.accepted < tally.executions
    assert grown < 200_000, "KiB"
    assert not list(tmp_path.iterdir())


_part = st.text(
    st.characters(codec="utf-8", exclude_characters="/\\:", exclude_categories=("C", "Zl", "Zp")),
    min_size=1,
    max_size=20,
).filter(lambda text: text not in (".", ".."))
_name = st.builds("/".join, st.lists(_part, min_size=1, max_size=4)).map(lambda n: f"demo/{n}")
_member = st.tuples(
    st.binary(max_size=3000),
    st.sampled_from([0, 8]),
    st.sampled_from([None, 4, 8]),
    st.booleans(),
    st.sampled_from([0o644, 0o755, 0o600]),
)
_version = st.from_regex(
    r"(?:[1-9]!)?[0-9](?:\.(?:0|[1-9][0-9]?)){0,3}(?:(?:a|b|rc)[0-9])?(?:\.post[0-9])?"
    r"(?:\+[a-z]{1,4}(?:\.[1-9])?)?",
    fullmatch=True,
    alphabet=string.printable,
)


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    members=st.dictionaries(_name, _member, max_size=8),
    version=_version,
    label=st.sampled_from(["v3", "v4", "cu12.v3", "zen4"]),
    form=st.sampled_from(["set", "specific", "hybrid", "plain"]),
    consume=st.booleans(),
)
def test_stamp_verify_unstamp_gives_the_wheel_back(
    members: dict[str, tuple[bytes, int, int | None, bool, int]],
    version: str,
    label: str,
    form: str,
    consume: bool,
) -> None:
    names = set(members)
    parents = {name.rsplit("/", n)[0] for name in names for n in range(1, name.count("/") + 1)}
    draft = Draft(version=version)
    for name, (data, method, descriptor, signed, mode) in members.items():
        if name not in parents and name not in draft.parts:
            part = draft.add(name, data, method=method)
            part.descriptor, part.signed = descriptor, signed
            part.mode(0o100000 | mode)
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory, draft.file_name)
        path.write_bytes(draft.build())
        before = _contents(path)
        output = Path(directory, "out")
        output.mkdir()
        suffix = {"cu12.v3": "_v3_cu12"}.get(label, f"_{label}")
        with open_wheel(path) as wheel:
            inventory = verify_wheel(wheel)
            for chosen in ("set", "specific", "hybrid", "plain"):
                if chosen == form:
                    stamp = name_stamp(inventory, chosen, label, suffix)
            stamped = apply_edit(wheel, plan_stamp(inventory, stamp), output, consume=consume)
        assert path.exists() is not consume
        with open_wheel(stamped) as wheel:
            inventory = verify_wheel(wheel)
            assert inventory.version.endswith(label)
            plain = apply_edit(wheel, plan_unstamp(inventory), directory)
        assert plain == path
        assert _contents(plain) == before


def _contents(path: Path) -> list[tuple[str, int, bytes]]:
    with open_wheel(path) as wheel:
        verify_wheel(wheel)
        return [
            (member.name, member.attributes.external, wheel.read(member, limit=1 << 20))
            for member in wheel.members
        ]
