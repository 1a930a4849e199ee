"""Measure the CPU time of probing: CPU, C library, distribution, two compilers, accelerators.

    python tests/benchmarks/bench_probe.py [--runs 15] [--goal 25] [--device-goal 100]

Each run is a new interpreter. "ours" is the time of this process: importing, reading, starting the
compilers. The time of the compilers themselves is shown separately. "bare" includes the standard
library modules that a delegate imports anyway. "accelerators" is the additional time for a project
that lists CUDA and ROCm, including nvcc and the host compiler. The exit code is 1 if "ours" beside
a delegate, or the total for accelerators, is above its goal.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import cast

BACKEND = Path(__file__).resolve().parents[2] / "backend"

#: Modules that setuptools and the front ends' hook caller import in every build.
LOADED_ANYWAY = "import dataclasses, json, pathlib, re, subprocess, sysconfig, typing"

CHILD = """
import os, resource, time
%s
def spent(who):
    used = resource.getrusage(who)
    return 1e3 * (used.ru_utime + used.ru_stime)
start = time.process_time()
from variantbuild.host.local import LocalHost
from variantbuild.probe import probe_host
loaded = time.process_time()
probe_host(LocalHost(env=os.environ), ["c", "cxx"])
end = time.process_time()
import json
print(json.dumps({
    "import": 1e3 * (loaded - start),
    "probe": 1e3 * (end - loaded),
    "ours": 1e3 * (end - start),
    "compilers": spent(resource.RUSAGE_CHILDREN),
}))
"""

DEVICES = """
import os, resource, time
%s
import variantbuild.plan
from pathlib import Path
from variantbuild.config import Config
from variantbuild.host.local import LocalHost
from variantbuild.config.project import Project
from variantbuild.probe import probe_host
host = LocalHost(env=os.environ)
probe_host(host, ["c", "cxx"])
config = Config(accelerators=("cuda", "rocm"))
project = Project(
    path=Path("/"), pyproject={}, config=config, delegate_settings={}, is_sdist=False
)
def spent(who):
    used = resource.getrusage(who)
    return 1e3 * (used.ru_utime + used.ru_stime)
children = spent(resource.RUSAGE_CHILDREN)
start = time.process_time()
from variantbuild.plan.device.deviceplan import plan_devices
import variantbuild.probe.gpu
import variantbuild.plan.device.accelerator, variantbuild.plan.device.hostcompiler
loaded = time.process_time()
plan_devices(project, host, None)
end = time.process_time()
import json
compilers = spent(resource.RUSAGE_CHILDREN) - children
print(json.dumps({
    "import": 1e3 * (loaded - start),
    "probe": 1e3 * (end - loaded),
    "ours": 1e3 * (end - start),
    "compilers": compilers,
    "all": 1e3 * (end - start) + compilers,
}))
"""


def measure(env: dict[str, str], loaded: str, child: str = CHILD) -> dict[str, float]:
    """Return the milliseconds of one run, by part; the imports in `loaded` are not counted."""
    command = [sys.executable, "-c", child % loaded]
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=True)
    return cast("dict[str, float]", json.loads(done.stdout))


def medians(runs: list[dict[str, float]]) -> dict[str, float]:
    """Return the median of each part."""
    return {part: statistics.median(run[part] for run in runs) for part in runs[0]}


def main() -> int:
    """Measure and print the medians."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=15)
    parser.add_argument("--goal", type=float, default=25.0, help="limit for 'ours', in ms of CPU")
    parser.add_argument(
        "--device-goal", type=float, default=100.0, help="limit for all accelerators, in ms of CPU"
    )
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as cache:
        # Installed packages have bytecode; this checkout has it after the first run.
        env = {**os.environ, "PYTHONPATH": str(BACKEND), "PYTHONPYCACHEPREFIX": cache}
        env.pop("PYTHONDONTWRITEBYTECODE", None)
        measure(env, "")
        beside = medians([measure(env, LOADED_ANYWAY) for _ in range(args.runs)])
        bare = medians([measure(env, "") for _ in range(args.runs)])
        devices = medians([measure(env, LOADED_ANYWAY, DEVICES) for _ in range(args.runs)])
    print(f"median of {args.runs} runs, ms of CPU   beside a delegate   bare")
    for part in beside:
        print(f"  {part:33} {beside[part]:16.1f} {bare[part]:6.1f}")
    print("accelerators, in addition")
    for part in devices:
        print(f"  {part:33} {devices[part]:16.1f}")
    return 1 if beside["ours"] > args.goal or devices["all"] > args.device_goal else 0


if __name__ == "__main__":
    sys.exit(main())
