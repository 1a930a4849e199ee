"""Build this project for v1, v2, v3 and v4 side by side, and time the same searches in each.

    python benchmark.py [--rounds 7] [--keep DIR] [plain-v1 v1 v3 ...]

`plain-v1` is the code as most authors would write it (src/core/plain.cpp), built for v1; `v1` is
the tuned code of this project, built for the same CPUs.

Needs numpy and pip. If variantbuild and nanobind are installed they are used, else pip installs
them as for any build, variantbuild from the wheelhouse of the README's first command. Every variant
runs in a separate process. The processes keep running and alternate, so that other load on the
machine affects all of them equally. Times are medians over the rounds; ratios are medians of each
round's ratio to the first variant.
"""

from __future__ import annotations

import argparse
import hashlib
import importlib.util
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

PROJECT = Path(__file__).resolve().parent
Kind = Literal["ip", "l2", "hamming"]
WHEELHOUSE = PROJECT.parent / "wheelhouse"
LEVELS = ("plain-v1", "v1", "v2", "v3", "v4")

#: The cases: kind of search, rows of the base, columns (dimensions or bytes), queries.
CASES: dict[str, tuple[Kind, int, int, int]] = {
    "fp16 inner product, dim 384, 1 query": ("ip", 8000, 384, 1),
    "fp16 inner product, dim 384, 64 queries": ("ip", 8000, 384, 64),
    "fp16 squared distance, dim 384, 1 query": ("l2", 8000, 384, 1),
    "fp16 squared distance, dim 384, 64 queries": ("l2", 8000, 384, 64),
    "Hamming, 1024 bits, 1 query": ("hamming", 20000, 128, 1),
    "Hamming, 1024 bits, 64 queries": ("hamming", 20000, 128, 64),
    "Hamming, 256 bits, 64 queries": ("hamming", 80000, 32, 64),
}
NEIGHBOURS = 10
MISSING = f"""
variantbuild is not installed, and not in {WHEELHOUSE}. To make that directory, run
    {sys.executable} -m pip wheel --no-deps -w {WHEELHOUSE} {PROJECT.parent}"""


def make_search(case: str) -> Callable[[], tuple[bytes, bytes]]:
    """Return the search of `case` on random data that is the same in every process."""
    import numpy as np
    import vecsearch

    kind, rows, columns, queries = CASES[case]
    random = np.random.default_rng(seed=20)
    if kind == "hamming":
        bits = random.integers(0, 256, (rows + queries, columns), np.uint8)

        def search_bits() -> tuple[bytes, bytes]:
            found = vecsearch.search_hamming(bits[:rows], bits[rows:], NEIGHBOURS)
            return found[0].tobytes(), found[1].tobytes()

        return search_bits
    vectors = random.normal(0, columns**-0.5, (rows + queries, columns)).astype(np.float16)

    def search_vectors() -> tuple[bytes, bytes]:
        found = vecsearch.search_fp16(vectors[:rows], vectors[rows:], NEIGHBOURS, kind)
        return found[0].tobytes(), found[1].tobytes()

    return search_vectors


def work(directory: str) -> None:
    """Read cases from stdin, one per line, and print the seconds and digests of each as JSON."""
    sys.path.insert(0, directory)
    import vecsearch

    searches: dict[str, Callable[[], tuple[bytes, bytes]]] = {}
    print(json.dumps(vecsearch.compiled_for()), flush=True)
    for line in sys.stdin:
        case = line.rstrip("\n")
        search = searches.setdefault(case, make_search(case))
        digests = [hashlib.sha256(part).hexdigest() for part in search()]
        calls, started = 0, time.perf_counter()
        while (elapsed := time.perf_counter() - started) < 0.1:
            search()
            calls += 1
        print(json.dumps([elapsed / calls, *digests]), flush=True)


@dataclass(frozen=True)
class Answer:
    """One timing: seconds per call, and digests of the scores and neighbours found."""

    seconds: float
    scores: str
    neighbours: str


class Worker:
    """A variant of the module, loaded in a separate process."""

    def __init__(self, directory: Path, stack: ExitStack) -> None:
        command = [sys.executable, __file__, "--worker", str(directory)]
        self._process = stack.enter_context(
            subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
            )
        )
        answer = self._read()
        self.error = None if answer else self._read_error()
        self.level = answer.strip().strip('"')

    def ask(self, case: str) -> Answer:
        """Time `case` once."""
        stream = self._process.stdin
        assert stream is not None
        print(case, file=stream, flush=True)
        return Answer(*json.loads(self._read()))

    def _read(self) -> str:
        assert self._process.stdout is not None
        return self._process.stdout.readline()

    def _read_error(self) -> str:
        _, errors = self._process.communicate()
        lines = errors.strip().splitlines()
        return lines[-1] if lines else f"exit code {self._process.returncode}"


def build(level: str, directory: Path) -> None:
    """Install this project, built for `level`, into `directory`."""
    here = all(importlib.util.find_spec(name) for name in ("variantbuild", "nanobind"))
    print(f"building {level} ...", file=sys.stderr, flush=True)
    plain, _, target = level.rpartition("-")
    done = subprocess.run(
        [
            *(sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--target", directory),
            *(("--no-build-isolation",) if here else ()),
            *("--config-settings", f"variantbuild.cpu={target}"),
            *("--config-settings", f"cmake.define.VECSEARCH_PLAIN={'ON' if plain else 'OFF'}"),
            PROJECT,
        ],
        env={**os.environ, **({} if here else find_links())},
        check=False,
    )
    if done.returncode != 0:
        hint = "" if here or WHEELHOUSE.is_dir() else MISSING
        sys.exit(f"building {level} failed: see the output of pip above{hint}")


def find_links() -> dict[str, str]:
    """Return the variable by which pip finds variantbuild in the wheelhouse, if there is one.

    A variable, not an option: it also reaches the pip that installs the build requirements.
    """
    if not WHEELHOUSE.is_dir():
        return {}
    given = os.environ.get("PIP_FIND_LINKS", "")
    return {"PIP_FIND_LINKS": f"{given} {WHEELHOUSE.as_uri()}".strip()}


def start(levels: list[str], directory: Path, stack: ExitStack) -> dict[str, Worker]:
    """Build each level and start it; skip the levels that this machine cannot load."""
    workers = {}
    for level in levels:
        if not (directory / level).is_dir():
            build(level, directory / level)
        worker = Worker(directory / level, stack)
        if worker.error is not None:
            print(f"{level} skipped: {worker.error}", file=sys.stderr)
        elif worker.level != level.rpartition("-")[2]:
            sys.exit(f"requested {level}, but the module was compiled for {worker.level}")
        else:
            workers[level] = worker
    return workers


def render(levels: list[str], case: str, answers: dict[str, list[Answer]]) -> str:
    """Render the row of one case: milliseconds, ratios to the first level, equal results."""
    first = answers[levels[0]]
    cells = []
    for level in levels:
        seconds = statistics.median(a.seconds for a in answers[level])
        ratio = statistics.median(
            a.seconds / b.seconds for a, b in zip(first, answers[level], strict=True)
        )
        cells.append(f"{seconds * 1e3:8.2f} ms {ratio:5.2f}x")
    neighbours = {a.neighbours for every in answers.values() for a in every}
    scores = {a.scores for every in answers.values() for a in every}
    same = "both" if len(neighbours) == len(scores) == 1 else "neighbours"
    return f"{case:<44}{''.join(cells)}  {same if len(neighbours) == 1 else 'NO'}"


def main() -> int:
    """Build the variants, time them, and print the table."""
    parser = argparse.ArgumentParser(
        description="Time this project built for v1 to v4, and plain code."
    )
    parser.add_argument(
        "levels",
        nargs="*",
        default=list(LEVELS),
        help="v1 to v4, or plain-v1 and so on; the first is 1x",
    )
    parser.add_argument("--rounds", type=int, default=7, help="rounds per variant (7)")
    parser.add_argument(
        "--keep", type=Path, help="keep the builds in this directory, and reuse those in it"
    )
    parser.add_argument("--worker", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.worker:
        work(options.worker)
        return 0
    with ExitStack() as stack:
        directory = options.keep or Path(stack.enter_context(tempfile.TemporaryDirectory()))
        workers = start(options.levels, directory, stack)
        if not workers:
            return 1
        levels = list(workers)
        print(f"{'':<44}{''.join(f'{level:>18}' for level in levels)}  same results")
        for case in CASES:
            answers: dict[str, list[Answer]] = {level: [] for level in levels}
            for _ in range(options.rounds):
                for level, worker in workers.items():
                    answers[level].append(worker.ask(case))
            print(render(levels, case, answers), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
