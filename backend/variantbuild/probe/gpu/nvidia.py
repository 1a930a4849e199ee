"""NVIDIA's driver and GPUs, from the cheapest source that has the answer.

Nothing is run unless a file of the driver exists, so a machine without a GPU pays nothing.
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import TypedDict, cast

from variantbuild.data import load_table
from variantbuild.host import Host
from variantbuild.probe.facts import Absent, Fact, Failed, Found
from variantbuild.probe.gpu.gpufacts import Driver, Gpu

_TIMEOUT = 15.0  # seconds; waking an idle GPU takes up to five
_PROC = "/proc/driver/nvidia/version"
_PROC_VERSION = re.compile(r"Kernel Module(?: for \w+)?\s+(\d+(?:\.\d+)+)")
_SMI_ROW = re.compile(r"(?P<cap>\d+\.\d+), (?P<driver>\d+(?:\.\d+)+), (?P<name>.+)")


class _Answer(TypedDict, total=False):
    """What nvidia_query.py prints."""

    error: str
    library: str
    driver: str
    cuda: int
    gpus: list[tuple[str, int, int]]


def probe_nvidia(host: Host) -> tuple[Fact[Driver], Fact[tuple[Gpu, ...]]]:
    """Return the driver and the GPUs that it reports.

    Sources, in order: NVML or libcuda (in a separate process), nvidia-smi,
    /proc/driver/nvidia/version, and the device tree of a Jetson.
    """
    trace = _trace(host)
    if trace is None:
        reason = Absent(
            f"no NVIDIA driver: neither {_PROC} nor libcuda.so.1 in the usual directories"
        )
        return reason, reason
    answer = _query_libraries(host)
    if "error" not in answer:
        return _from_libraries(host, answer)
    smi = _query_smi(host, answer["error"])
    if not isinstance(smi, Failed):
        return smi
    driver, gpus = _proc_driver(host), _tegra(host)
    return (
        driver if driver is not None else Failed(f"{trace} exists, but {smi.error}"),
        gpus if gpus is not None else smi,
    )


def _trace(host: Host) -> str | None:
    """Return the first sign that a driver is installed."""
    if host.system == "Windows":
        return host.which("nvidia-smi")
    if host.system != "Linux":
        return None
    files = cast("list[str]", load_table("cuda")["driver_files"])
    places = ("/dev/nvidiactl", *files)
    if host.read_text(_PROC) is not None:
        return _PROC
    return next((path for path in places if host.glob(path)), None)


def _query_libraries(host: Host) -> _Answer:
    program = str(Path(__file__).with_name("nvidia_query.py"))
    answer = host.run([sys.executable, "-I", "-S", program], timeout=_TIMEOUT)
    if not answer.ok:
        return {"error": f"querying the driver's libraries {answer.failure}"}
    try:
        value = json.loads(answer.stdout)
    except ValueError:
        return {"error": "the driver's libraries printed unreadable output"}
    return cast("_Answer", value)


def _from_libraries(host: Host, answer: _Answer) -> tuple[Fact[Driver], Fact[tuple[Gpu, ...]]]:
    number, library = answer["cuda"], answer["library"]
    cuda = (number // 1000, number % 1000 // 10)
    by_kernel = _proc_driver(host)
    version = answer["driver"] or (by_kernel.value.version if by_kernel is not None else "")
    gpus = tuple(
        Gpu(name=name, architecture=f"{major}{minor}") for name, major, minor in answer["gpus"]
    )
    shown: Fact[tuple[Gpu, ...]] = (
        Found(gpus, library) if gpus else Absent(f"{library} reports no GPU")
    )
    return Found(Driver(version=version, cuda=cuda), library), shown


def _query_smi(host: Host, before: str) -> tuple[Fact[Driver], Fact[tuple[Gpu, ...]]] | Failed:
    program = host.which("nvidia-smi")
    if program is None:
        return Failed(f"{before}; no nvidia-smi on PATH")
    query = "--query-gpu=compute_cap,driver_version,name"
    answer = host.run([program, query, "--format=csv,noheader"], timeout=_TIMEOUT)
    rows = [_SMI_ROW.fullmatch(line.strip()) for line in answer.stdout.splitlines()]
    found = [row for row in rows if row is not None]
    if not answer.ok or not found:
        return Failed(f"{before}; {program} {answer.failure or 'reports no GPU'}")
    gpus = tuple(Gpu(name=row["name"], architecture=row["cap"].replace(".", "")) for row in found)
    return Found(Driver(version=found[0]["driver"]), program), Found(gpus, f"{program} {query}")


def _proc_driver(host: Host) -> Found[Driver] | None:
    found = _PROC_VERSION.search(host.read_text(_PROC) or "")
    return Found(Driver(version=found[1]), _PROC) if found else None


def _tegra(host: Host) -> Found[tuple[Gpu, ...]] | None:
    """Return a Jetson's GPU by its chip (/proc/device-tree/compatible), if no library answers."""
    path = "/proc/device-tree/compatible"
    chips = cast("dict[str, str]", load_table("cuda")["tegra"])
    for entry in (host.read_text(path) or "").split("\0"):
        architecture = chips.get(entry.removeprefix("nvidia,"))
        if architecture is not None:
            return Found((Gpu(name=entry, architecture=architecture),), path)
    return None
