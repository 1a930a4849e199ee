"""Machines with GPUs and toolkits, served from tests/hosts/gpu."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TypedDict, cast

from hosts.recorded import HOSTS, RecordedHost
from variantbuild.host import Completed
from variantbuild.probe.gpu import nvidia


class Output(TypedDict, total=False):
    argv: list[str]
    status: int
    stdout: str
    stderr: str


class Recording(TypedDict):
    """One file of tests/hosts/gpu; `{python}` `{query}` is our own query of the driver."""

    source: str
    system: str
    machine: str
    env: dict[str, str]
    files: dict[str, str]
    outputs: list[Output]


def load(name: str) -> RecordedHost:
    """Return the machine recorded as `name`."""
    text = (HOSTS / "gpu" / f"{name}.json").read_text(encoding="utf-8")
    recording = cast("Recording", json.loads(text))
    own = {
        "{python}": sys.executable,
        "{query}": str(Path(nvidia.__file__).with_name("nvidia_query.py")),
    }
    outputs = {}
    for output in recording["outputs"]:
        argv = tuple(own.get(word, word) for word in output["argv"])
        outputs[argv] = Completed(
            argv=argv,
            status=output.get("status", 0),
            stdout=output.get("stdout", ""),
            stderr=output.get("stderr", ""),
        )
    return RecordedHost(
        system=recording["system"],
        machine=recording["machine"],
        env=recording["env"],
        files=recording["files"],
        outputs=outputs,
        programs=frozenset(argv[0] for argv in outputs),
    )
