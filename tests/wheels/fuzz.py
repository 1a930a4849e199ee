"""A mutation fuzzer over the corpus: any bytes give a sound wheel or an error message.

    PYTHONPATH=backend:tests python -m wheels.fuzz --seconds 3600 [--seed 1] [--keep DIR]

Each execution takes a wheel of the corpus, bends some of its bytes (blindly, or in the fields of
its headers, or in the contents with sizes and hashes put right again), verifies it and, where it
is accepted, edits it and verifies the result. A crash, a hang or a wheel that was accepted and
came out broken stops the run; the input is kept.
"""

from __future__ import annotations

import argparse
import random
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from variantbuild.errors import VariantBuildError
from variantbuild.wheel import Edit, apply_edit, open_wheel, plan_edit, verify_wheel
from variantbuild.wheel.filename import join_local
from wheels.bad import bad_cases
from wheels.forge import Draft
from wheels.good import good_cases

#: Seconds that one execution may take before it counts as a hang.
HANG = 20.0
_SIGNATURES = (b"PK\1\2", b"PK\3\4", b"PK\5\6", b"PK\6\6", b"PK\6\7", b"PK\7\x08")
_INTERESTING = (0, 1, 0x7F, 0x80, 0xFF, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF)
_LINES = (
    b"Version: 2.0\n", b"\r", b"\0", b"\xff", b"Tag: py3-none-any\n", b"../", b",", b'"', b"\n",
    b"sha256=", b"md5=", b" ", b"From x\n", b"\xef\xbb\xbf", b"Requires-Dist: x\n", b"-any",
)  # fmt: skip


@dataclass
class Tally:
    """How many executions, and how many of them were accepted."""

    executions: int = 0
    accepted: int = 0


class Fuzzer:
    """Mutates the corpus with a seeded random generator."""

    def __init__(self, seed: int, directory: Path) -> None:
        self.chance = random.Random(seed)
        self.directory = directory
        drafts = [case.draft for case in good_cases()] + [case.draft for case in bad_cases()]
        self.seeds = [(draft.file_name, draft.build()) for draft in drafts]
        self.seeds = [(name, data) for name, data in self.seeds if len(data) < 100_000]

    def run(self, seconds: float) -> Tally:
        """Execute for `seconds` and return the tally."""
        tally = Tally()
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            name, data = self._bent() if self.chance.random() < 0.4 else self._mutated()
            tally.executions += 1
            tally.accepted += self.execute(name, data)
        return tally

    def execute(self, name: str, data: bytes) -> bool:
        """Verify and edit one wheel; return whether it was accepted."""
        safe = name.replace("/", "_").replace("\0", "_")[:255]
        path = self.directory / safe
        path.write_bytes(data)
        started = time.monotonic()
        accepted = False
        try:
            with open_wheel(path) as wheel:
                inventory = verify_wheel(wheel)
                accepted = True
                edit = Edit(version=join_local(inventory.version, "fuzz"))
                output = apply_edit(wheel, plan_edit(inventory, edit), self.directory)
            with open_wheel(output) as wheel:
                verify_wheel(wheel)
            output.unlink()
        except VariantBuildError as error:
            text = str(error)
            if accepted and "longer than 255" not in text:
                raise
        path.unlink()
        if time.monotonic() - started > HANG:
            raise AssertionError(f"{name} took over {HANG:.0f} s")
        return accepted

    def _mutated(self) -> tuple[str, bytes]:
        name, data = self.chance.choice(self.seeds)
        bent = bytearray(data)
        for _ in range(self.chance.choice((1, 1, 1, 2, 4, 16))):
            self._mutate(bent)
        return name, bytes(bent)

    def _mutate(self, data: bytearray) -> None:
        chance = self.chance
        at = chance.randrange(len(data) + 1)
        match chance.randrange(7):
            case 0 if data:
                data[at % len(data)] ^= 1 << chance.randrange(8)
            case 1:
                width = chance.choice((1, 2, 4, 8))
                value = chance.choice(_INTERESTING) % (1 << 8 * width)
                data[at : at + width] = value.to_bytes(width, "little")
            case 2:
                self._mutate_header(data)
            case 3:
                del data[at : at + chance.randrange(64)]
            case 4:
                data[at:at] = chance.randbytes(chance.randrange(32))
            case 5:
                data[at:at] = data[at // 2 : at // 2 + chance.randrange(200)]
            case _:
                other = chance.choice(self.seeds)[1]
                data[at:] = other[chance.randrange(len(other) + 1) :]

    def _mutate_header(self, data: bytearray) -> None:
        """Overwrite a field behind one of the signatures."""
        signature = self.chance.choice(_SIGNATURES)
        found = data.find(signature, self.chance.randrange(len(data) + 1))
        if found >= 0:
            at = found + 4 + self.chance.randrange(44)
            width = self.chance.choice((1, 2, 4))
            value = self.chance.choice((*_INTERESTING, self.chance.randrange(64)))
            data[at : at + width] = (value % (1 << 8 * width)).to_bytes(width, "little")

    def _bent(self) -> tuple[str, bytes]:
        """Modify contents, and update sizes, checksums and RECORD to match."""
        draft = Draft()
        for _ in range(self.chance.choice((1, 1, 2, 3))):
            part = self.chance.choice(list(draft.parts.values()))
            data = bytearray(part.data or draft.record())
            at = self.chance.randrange(len(data) + 1)
            if self.chance.random() < 0.5:
                data[at : at + self.chance.randrange(3)] = self.chance.choice(_LINES)
            else:
                self._mutate(data)
            part.data = bytes(data)
        return draft.file_name, draft.build()


def main() -> int:
    """Run from the command line and print the number of executions."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument(
        "--keep", type=Path, help="directory to work in, where a failing input stays"
    )
    args = parser.parse_args()
    directory = args.keep or Path(tempfile.mkdtemp(prefix="variantbuild-fuzz-"))
    tally = Fuzzer(args.seed, directory).run(args.seconds)
    print(f"{tally.executions} executions, {tally.accepted} accepted, no crash")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
