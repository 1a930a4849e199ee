"""Processes killed at any moment, full disks and races: never a broken wheel under its name.

Each phase is killed at random while it works, and once before and once after each of its system
calls. `FAULT_RUNS=200 python -m pytest tests/faults/test_kills.py` kills it 200 times by each
signal; without the variable it is a part of that.
"""

from __future__ import annotations

import itertools
import os
import random
import resource
import shutil
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from variantbuild.errors import WheelError
from variantbuild.host.staging import publish_copy, staging_directory
from variantbuild.stamp import name_stamp, plan_stamp
from variantbuild.wheel import Edit, apply_edit, open_wheel, plan_edit, verify_wheel
from variantbuild.wheel.rewrite.copying import DIRECT_WRITING, DirectWriting
from wheels.forge import Draft

#: How often each signal kills a phase.
RUNS = dict.fromkeys((signal.SIGINT, signal.SIGTERM, signal.SIGHUP), 30) | {signal.SIGKILL: 140}
if "FAULT_RUNS" in os.environ:
    RUNS = dict.fromkeys(RUNS, int(os.environ["FAULT_RUNS"]))
#: Exit codes of a child: done, refused with an error message, anything else.
DONE, REFUSED, CRASHED = 0, 3, 4


def wheel_bytes() -> bytes:
    draft = Draft()
    source = random.Random(7)
    for i in range(30):
        draft.add(f"demo/part{i}.bin", source.randbytes(10_000 + 1_500 * i))
    return draft.build()


DATA = wheel_bytes()
NAME = "demo-1.0-py3-none-linux_x86_64.whl"
NEW = "demo-1.0+v3-py3-none-linux_x86_64.linux_x86_64_v3.whl"


def copy(path: Path, output: Path, direct: DirectWriting = DIRECT_WRITING) -> None:
    """Verify and stamp into another directory."""
    with open_wheel(path) as wheel:
        inventory = verify_wheel(wheel)
        plan = plan_stamp(inventory, name_stamp(inventory, "set", "v3", "_v3"))
        apply_edit(wheel, plan, output, direct=direct)


def around(path: Path, output: Path) -> None:
    """Do the same as with a large wheel: bypass the page cache if possible."""
    copy(path, output, DirectWriting(floor=0, buffer=1 << 16))


def tail(path: Path, output: Path) -> None:
    """Stamp a private wheel in place and move it."""
    with open_wheel(path) as wheel:
        inventory = verify_wheel(wheel, trust_record=True)
        plan = plan_stamp(inventory, name_stamp(inventory, "set", "v3", "_v3"))
        apply_edit(wheel, plan, output, consume=True)


def replace_itself(path: Path, output: Path) -> None:
    """Rewrite METADATA under the same name, as `patch --in-place` does."""
    with open_wheel(path) as wheel:
        inventory = verify_wheel(wheel, trust_record=True)
        changed = inventory.metadata.data.replace(b"made up", b"made anew")
        apply_edit(wheel, plan_edit(inventory, Edit(metadata=changed)), path.parent)


def build(path: Path, output: Path) -> None:
    """Do as the hooks do: a delegate's wheel in a staging directory, stamped into the output."""
    with staging_directory(output) as directory:
        tail(path.rename(directory / NAME), output)


def carry(path: Path, output: Path) -> None:
    """Publish a copy of a finished wheel from elsewhere."""
    publish_copy(path.parent / "finished" / NEW, output)


PHASES = {
    "copy": copy,
    "around": around,
    "tail": tail,
    "replace": replace_itself,
    "build": build,
    "carry": carry,
}


def start(action: Callable[[], None]) -> int:
    """Run `action` in a forked child; its exit code is the result.

    One signal may reach the child at any moment, and must never let it return into the test run.
    """
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    child = os.fork()
    if child:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
        return child
    code = [CRASHED]
    try:
        work(action, code)
    finally:
        try:
            os._exit(code[0])
        finally:
            # Only if the signal came between the work and the line above.
            os._exit(code[0])


def work(action: Callable[[], None], code: list[int]) -> None:
    """Run `action` and store the result in `code`."""
    try:
        signal.signal(signal.SIGINT, signal.default_int_handler)
        signal.signal(signal.SIGHUP, signal.SIG_DFL)  # ignored below nohup
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
        action()
        code[0] = DONE
    except (WheelError, KeyboardInterrupt):
        code[0] = REFUSED


@pytest.fixture
def place(tmp_path: Path) -> Iterator[tuple[Path, Path]]:
    """A fresh input wheel and an output directory with an older wheel of the new name."""
    source, output = tmp_path / "private", tmp_path / "output"
    (source / "finished").mkdir(parents=True)
    output.mkdir()
    (source / NAME).write_bytes(DATA)
    copy(source / NAME, source / "finished")
    shutil.copy(source / "finished" / NEW, output)
    yield source / NAME, output
    assert sound_wheels(output) == [NEW]


def check_places(phase: str, path: Path, output: Path) -> None:
    """Check that the old or the new wheel is complete, next to temporary files; remove those."""
    assert sound_wheels(output) == [NEW]
    if phase not in ("tail", "build"):
        assert sound_wheels(path.parent) == [NAME]
    if phase in ("copy", "around", "carry"):
        assert path.read_bytes() == DATA
    for left in (*output.iterdir(), *path.parent.iterdir()):
        if left.name.startswith(".variantbuild-"):
            shutil.rmtree(left) if left.is_dir() else left.unlink()
        else:
            assert left.name in (NAME, NEW, "finished")


#: The bytes of wheels that were verified: most wheels are the same, thousands of times.
_VERIFIED: set[bytes] = set()


def sound_wheels(directory: Path) -> list[str]:
    """Return the wheels in `directory`, each verified."""
    names = sorted(path.name for path in directory.iterdir() if path.suffix == ".whl")
    for name in names:
        data = (directory / name).read_bytes()
        if data not in _VERIFIED:
            with open_wheel(directory / name) as wheel:
                verify_wheel(wheel)
            _VERIFIED.add(data)
    return names


@pytest.mark.parametrize("number", RUNS)
@pytest.mark.parametrize("phase", PHASES)
def test_a_kill_leaves_old_or_new_and_nothing_between(
    place: tuple[Path, Path], phase: str, number: signal.Signals
) -> None:
    path, output = place
    action = PHASES[phase]
    older = (output / NEW).read_bytes()
    span = min(duration(action, path, output) for _ in range(5))
    source = random.Random(int(number))
    killed = tries = 0
    wanted = RUNS[number]
    while killed < wanted:
        tries += 1
        assert tries < 5 * wanted, "hardly a kill hits the work"
        path.write_bytes(DATA)
        (output / NEW).write_bytes(older)
        child = start(lambda: action(path, output))
        time.sleep(source.random() * span)
        os.kill(child, number)
        _, status = os.waitpid(child, 0)
        assert os.waitstatus_to_exitcode(status) in (DONE, REFUSED, -number)
        killed += os.waitstatus_to_exitcode(status) != DONE
        check_places(phase, path, output)
    print(f"{phase}, {number.name}: {killed} killed at work, {tries} tries")


def duration(action: Callable[[Path, Path], None], path: Path, output: Path) -> float:
    """Return how many seconds a phase takes if it is not killed."""
    path.write_bytes(DATA)
    started = time.monotonic()
    assert os.waitpid(start(lambda: action(path, output)), 0)[1] == 0
    return time.monotonic() - started


_CALLS = (
    "open",
    "write",
    "preadv",
    "copy_file_range",
    "fsync",
    "ftruncate",
    "rename",
    "replace",
    "unlink",
)


def die_at(call: str, nth: int, *, after: bool) -> None:
    """Let this process kill itself before or after its nth system call of that name."""
    real = getattr(os, call)
    left = itertools.count(nth, -1)

    def deadly(*args: object, **kwargs: object) -> object:
        last = next(left) == 0
        if last and not after:
            os.kill(os.getpid(), signal.SIGKILL)
        result: object = real(*args, **kwargs)
        if last:
            os.kill(os.getpid(), signal.SIGKILL)
        return result

    setattr(os, call, deadly)


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("phase", PHASES)
def test_death_at_every_system_call(place: tuple[Path, Path], phase: str, after: bool) -> None:
    path, output = place
    action = PHASES[phase]
    deaths = 0
    for call in _CALLS:
        for nth in itertools.count():
            path.write_bytes(DATA)

            def doomed(call: str = call, nth: int = nth) -> None:
                die_at(call, nth, after=after)
                action(path, output)

            code = os.waitstatus_to_exitcode(os.waitpid(start(doomed), 0)[1])
            assert code in (DONE, -signal.SIGKILL), (call, nth)
            check_places(phase, path, output)
            if code == DONE:
                break
            deaths += 1
    print(f"{phase}: {deaths} deaths")
    assert deaths > 4


@pytest.mark.parametrize("phase", PHASES)
def test_a_full_disk_is_one_sentence_and_no_wheel(place: tuple[Path, Path], phase: str) -> None:
    path, output = place
    action = PHASES[phase]
    older = (output / NEW).read_bytes()
    refused = 0
    sizes = range(0, len(DATA) * 6 // 5, len(DATA) // 25)
    for size in sizes:
        path.write_bytes(DATA)

        def limited(size: int = size) -> None:
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))
            action(path, output)

        code = os.waitstatus_to_exitcode(os.waitpid(start(limited), 0)[1])
        assert code in (DONE, REFUSED)
        refused += code == REFUSED
        assert sound_wheels(output) == [NEW]
        assert (output / NEW).read_bytes() == older
        assert not [left for left in output.iterdir() if left.name.startswith(".")]
    assert 0 < refused < len(sizes)


@pytest.mark.parametrize("phase", ["copy", "around", "carry"])
def test_processes_on_one_output(place: tuple[Path, Path], phase: str) -> None:
    path, output = place
    for _ in range(20):
        children = [start(lambda: PHASES[phase](path, output)) for _ in range(4)]
        codes = [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children]
        assert codes == [DONE] * 4
        assert sound_wheels(output) == [NEW]
        assert [left.name for left in output.iterdir()] == [NEW]


def test_processes_that_replace_one_wheel(place: tuple[Path, Path]) -> None:
    path, output = place
    for _ in range(20):
        path.write_bytes(DATA)
        children = [start(lambda: replace_itself(path, output)) for _ in range(4)]
        codes = {os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children}
        assert DONE in codes
        assert codes <= {DONE, REFUSED}
        check_places("replace", path, output)


def test_a_directory_without_write_permission(place: tuple[Path, Path], tmp_path: Path) -> None:
    path, _ = place
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o555)

    def as_nobody() -> None:
        if os.geteuid() == 0:
            for directory in (*path.parents, path):
                if str(directory).startswith(str(tmp_path)):
                    directory.chmod(0o755)
            for directory in tmp_path.parents[:2]:
                directory.chmod(directory.stat().st_mode | 0o011)
            os.seteuid(65534)
        copy(path, closed)

    code = os.waitstatus_to_exitcode(os.waitpid(start(as_nobody), 0)[1])
    assert code == REFUSED
    assert list(closed.iterdir()) == []


@pytest.mark.skipif(not Path("/dev/shm").is_dir(), reason="needs a second file system")
def test_the_output_on_another_file_system(place: tuple[Path, Path]) -> None:
    path, output = place
    other = Path("/dev/shm", f"variantbuild-{os.getpid()}")
    other.mkdir()
    try:
        for action in (copy, tail, carry):
            path.write_bytes(DATA)
            action(path, other)
            assert sound_wheels(other) == [NEW]
        assert (output / NEW).read_bytes() == (other / NEW).read_bytes()
    finally:
        for left in other.iterdir():
            left.unlink()
        other.rmdir()
