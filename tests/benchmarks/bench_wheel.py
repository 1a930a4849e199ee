"""Compare relabelling of large wheels with cp, wheel and change_wheel_version, in one run.

    python tests/benchmarks/bench_wheel.py [--directory DIR] [--sizes small,large,many] [--runs 3]
                                           [--others] [--limit]

Generates wheels of 16 MB, 700 MB and 15,000 members in DIR unless they exist (1.3 GB). Then runs
each method of relabelling them in a separate process and prints the best CPU seconds, the ratio to
cp, and the peak memory above that of a bare interpreter. `--others` adds the other tools (takes
minutes; `pip install wheel change_wheel_version`). With `--limit` the exit code is 1 if a goal is
missed: 1.25 times cp when copying, 0.2 times in place, 2 times with 15,000 members, 20 MB of
memory, and 1.3 times inflating and hashing on all cores when everything is verified.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import os
import random
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

VERSION = "demo-1.0"
DIST_INFO = f"{VERSION}.dist-info"
NAME = f"{VERSION}-py3-none-linux_x86_64.whl"
MB = 1 << 20
#: Members and megabytes (packed) of each wheel.
WHEELS = {"small": (40, 16), "large": (60, 700), "many": (15_000, 274)}

#: Peak memory as the process reports it: a child's rusage starts from its parent's at the fork.
PEAK = """
with open("peak", "w") as stream:
    stream.write(open("/proc/self/status").read().split("VmHWM:")[1].split()[0])
"""
RELABEL = (
    """
import sys
from variantbuild.stamp import name_stamp, plan_stamp
from variantbuild.wheel import apply_edit, open_wheel, verify_wheel
path, directory, mode = sys.argv[1:]
with open_wheel(path) as wheel:
    inventory = verify_wheel(wheel, trust_record=mode in ("copy", "tail"))
    if mode != "verify":
        plan = plan_stamp(inventory, name_stamp(inventory, "set", "v3", "_v3"))
        apply_edit(wheel, plan, directory, consume=mode == "tail")
"""
    + PEAK
)
#: The minimum work of checking contents: inflate and hash on all cores, largest members first.
INFLATE = """
import hashlib, os, sys, threading, zipfile, zlib
path = sys.argv[1]
with zipfile.ZipFile(path) as archive:
    infos = sorted(archive.infolist(), key=lambda info: -info.file_size)
descriptor = os.open(path, os.O_RDONLY)
queue = iter(infos)
def work():
    for info in queue:
        at = info.header_offset + 30 + len(info.filename.encode())
        end = at + info.compress_size
        engine, state, pending = zlib.decompressobj(-15), hashlib.sha256(), b""
        while not engine.eof:
            if not pending and at < end:
                pending = os.pread(descriptor, min(1 << 16, end - at), at)
                at += len(pending)
            state.update(engine.decompress(pending, 1 << 16))
            pending = engine.unconsumed_tail
        state.digest()
threads = [threading.Thread(target=work) for _ in os.sched_getaffinity(0)]
[thread.start() for thread in threads], [thread.join() for thread in threads]
"""


@dataclass(frozen=True, kw_only=True)
class Cost:
    """The cost of a process: CPU and wall-clock seconds, peak resident memory in bytes."""

    cpu: float
    wall: float
    peak: int


def generate(directory: Path, kind: str) -> Path:
    """Write the wheel of `kind` unless it exists, with bytes that deflate to two thirds."""
    members, megabytes = WHEELS[kind]
    path = directory / kind / NAME
    if path.exists():
        return path
    path.parent.mkdir(parents=True, exist_ok=True)
    source = random.Random(1)
    alphabet = bytes(source.randrange(256) for _ in range(32)) * 6 + bytes(range(64))
    table = (alphabet * 2)[:256]
    block = source.randbytes(8 * MB).translate(table)
    size = megabytes * MB * 10 // 7 // members
    rows = []
    with zipfile.ZipFile(path.with_suffix(".tmp"), "w", zipfile.ZIP_DEFLATED, compresslevel=1) as w:

        def add(name: str, data: bytes) -> None:
            w.writestr(zipfile.ZipInfo(name), data, zipfile.ZIP_DEFLATED, compresslevel=1)
            digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).decode().rstrip("=")
            rows.append(f"{name},sha256={digest},{len(data)}\n")

        for i in range(members):
            start = source.randrange(len(block) // 2)
            data = (block[start:] + block * (size // len(block) + 1))[:size]
            add(f"demo/part{i // 200}/member_{i:05d}.bin", data)
        add(f"{DIST_INFO}/METADATA", b"Metadata-Version: 2.1\nName: demo\nVersion: 1.0\n")
        add(
            f"{DIST_INFO}/WHEEL",
            b"Wheel-Version: 1.0\nRoot-Is-Purelib: false\nTag: py3-none-linux_x86_64\n",
        )
        rows.append(f"{DIST_INFO}/RECORD,,\n")
        w.writestr(zipfile.ZipInfo(f"{DIST_INFO}/RECORD"), "".join(rows), zipfile.ZIP_DEFLATED)
    path.with_suffix(".tmp").rename(path)
    return path


def measure(argv: list[str], cwd: Path) -> Cost:
    """Run `argv` and return its cost, including children. Only its stderr is shown."""
    import time

    started = time.monotonic()
    with open(os.devnull, "w") as null:  # noqa: PTH123 - a device, not a path
        # As when installed: with bytecode next to the sources, or in a directory for it.
        env = {**os.environ, "PYTHONDONTWRITEBYTECODE": ""}
        process = subprocess.Popen(argv, cwd=cwd, stdout=null, env=env)
        _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{' '.join(argv[:4])} … failed with {process.returncode}")
    seen = cwd / "peak"
    peak = int(seen.read_text()) if seen.exists() else usage.ru_maxrss
    return Cost(
        cpu=usage.ru_utime + usage.ru_stime,
        wall=time.monotonic() - started,
        peak=peak * 1024,
    )


def best(costs: Sequence[Cost]) -> Cost:
    """Return the lowest CPU time, wall-clock time and peak memory of several runs."""
    return Cost(
        cpu=min(cost.cpu for cost in costs),
        wall=min(cost.wall for cost in costs),
        peak=min(cost.peak for cost in costs),
    )


def run(wheel: Path, work: Path, argv: list[str]) -> Cost:
    """Measure `argv`, with WHEEL and OUT replaced by a copied wheel and an empty directory."""
    shutil.rmtree(work, ignore_errors=True)
    out = work / "out"
    out.mkdir(parents=True)
    copied = shutil.copy(wheel, work)
    os.sync()
    # The copy above evicted everything else from the CPU's caches, above all Python's code.
    measure([sys.executable, "-c", "import variantbuild.wheel"], work)
    words = {"WHEEL": str(copied), "OUT": str(out)}
    cost = measure([words.get(word, word) for word in argv], work)
    shutil.rmtree(work)
    return cost


def methods() -> dict[str, list[str]]:
    """Return the commands of our methods, and of what they are compared with."""
    ours = [sys.executable, "-c", RELABEL, "WHEEL", "OUT"]
    return {
        "cp": ["cp", "WHEEL", "OUT"],
        "copy, --trust-record": [*ours, "copy"],
        "tail in place": [*ours, "tail"],
        "inflate and hash": [sys.executable, "-c", INFLATE, "WHEEL"],
        "verify all": [*ours, "verify"],
        "verify all, copy": [*ours, "verify-copy"],
    }


def other_tools() -> dict[str, list[str]]:
    """Return the commands of other tools that change the version or tags of a wheel."""
    python = sys.executable
    changer = Path(python).with_name("change_wheel_version")
    if not changer.exists():
        raise SystemExit("--others needs `pip install wheel change_wheel_version`")
    shell = f"{python} -m wheel unpack -d OUTDIR $1 && {python} -m wheel pack OUTDIR/*"
    return {
        "wheel tags": [
            python,
            "-m",
            "wheel",
            "tags",
            "--platform-tag",
            "+linux_x86_64_v3",
            "WHEEL",
        ],
        "wheel unpack, pack": ["sh", "-c", shell, "sh", "WHEEL"],
        "change_wheel_version": [str(changer), "--local-version", "v3", "WHEEL"],
    }


def compare(kind: str, wheel: Path, args: argparse.Namespace, bare: Cost) -> list[str]:
    """Print the table of one wheel and return the goals that were missed.

    The methods alternate, so that a machine that is slow for a while is slow for all of them. Each
    runs twice per turn: where the host reclaims the memory of removed files, the first run to
    refill the page cache pays for it. The other tools, which take minutes, run once.
    """
    commands, work = methods(), args.directory / "work"
    rounds = [
        {name: best([run(wheel, work, argv) for _ in range(2)]) for name, argv in commands.items()}
        for _ in range(args.runs)
    ]
    costs = {name: best([each[name] for each in rounds]) for name in commands}
    if args.others:
        costs |= {name: run(wheel, work, argv) for name, argv in other_tools().items()}
    copied = costs["cp"]
    print(f"\n{kind}: {wheel.stat().st_size / 1e6:.0f} MB, {WHEELS[kind][0]} members")
    print(f"{'':22}{'CPU s':>8}{'/ cp':>8}{'wall s':>8}{'MB':>7}")
    for name, cost in costs.items():
        above = (cost.peak - bare.peak) / 1e6
        ratio = cost.cpu / copied.cpu
        print(f"{name:22}{cost.cpu:8.3f}{ratio:8.2f}{cost.wall:8.2f}{above:7.1f}")
    return list(missed(kind, costs, bare))


def missed(kind: str, costs: dict[str, Cost], bare: Cost) -> list[str]:
    """Return a message for each goal that a large wheel misses."""
    copied, ours, tail = costs["cp"], costs["copy, --trust-record"], costs["tail in place"]
    inflated = costs["inflate and hash"]
    limit = 2.0 if kind == "many" else 1.25
    found = []
    if kind != "small" and ours.cpu > limit * copied.cpu:
        found.append(f"{kind}: copying takes {ours.cpu / copied.cpu:.2f} times cp, not {limit}")
    if kind == "large" and tail.cpu > 0.2 * copied.cpu:
        found.append(f"{kind}: the tail takes {tail.cpu / copied.cpu:.2f} times cp, not 0.2")
    floors = {"verify all": inflated.wall, "verify all, copy": inflated.wall + copied.wall}
    for name, floor in floors.items():
        if kind != "small" and costs[name].wall > 1.3 * floor:
            found.append(f"{kind}: {name} takes {costs[name].wall / floor:.2f} times, not 1.3")
    for name in ("copy, --trust-record", "tail in place", *floors):
        if costs[name].peak - bare.peak > 20e6:
            above = (costs[name].peak - bare.peak) / 1e6
            found.append(f"{kind}: {name} needs {above:.1f} MB, not 20")
    return found


def main() -> int:
    """Generate the wheels, measure, and print the results."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    default = Path(tempfile.gettempdir(), "variantbuild-bench")
    parser.add_argument("--directory", type=Path, default=default)
    parser.add_argument("--sizes", default="small,large,many")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--others", action="store_true", help="measure the other tools too")
    parser.add_argument("--limit", action="store_true", help="exit with 1 if a goal is missed")
    parser.add_argument("--generate", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.generate:
        generate(args.directory, args.generate)
        return 0
    args.directory.mkdir(parents=True, exist_ok=True)
    bare = best([measure([sys.executable, "-c", PEAK], args.directory) for _ in range(5)])
    print(f"bare interpreter: {bare.cpu:.3f} s, {bare.peak / 1e6:.1f} MB")
    failures: list[str] = []
    for kind in args.sizes.split(","):
        # In a separate process: memory used for generating must not count in later runs.
        subprocess.run(
            [sys.executable, __file__, "--generate", kind, "--directory", args.directory],
            check=True,
        )
        path = args.directory / kind / NAME
        failures += compare(kind, path, args, bare)
    for failure in failures:
        print(f"goal missed: {failure}")
    return 1 if args.limit and failures else 0


if __name__ == "__main__":
    raise SystemExit(main())
