"""A machine served from recorded files and outputs, for hardware that the tests do not run on.

One directory for each machine, described in README.md: `host.json` and the files below `files/`.
"""

from __future__ import annotations

import dataclasses
import fnmatch
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypedDict, cast

from variantbuild.host import READ_LIMIT, Completed, CpuId, ScratchRun

HOSTS = Path(__file__).parent


class _Output(TypedDict, total=False):
    argv: list[str]
    arguments: list[str]
    status: int
    stdout: str
    stderr: str


class _CompilerFile(TypedDict):
    source: str
    outputs: list[_Output]


class _CpuIdEntry(TypedDict):
    vendor: str
    features: str
    enabled_states: int | None
    brand: str


class _HostFile(TypedDict, total=False):
    system: str
    machine: str
    source: str
    env: dict[str, str]
    config: dict[str, str]
    confstr: dict[str, str]
    compilers: dict[str, str]
    outputs: list[_Output]
    cpuid: _CpuIdEntry


@dataclass(frozen=True, kw_only=True)
class RecordedHost:
    """A `Host` without any I/O: what was not recorded does not exist.

    `calls` collects the commands that were run; `scratch` answers those that run in a temporary
    directory.
    """

    system: str = "Linux"
    machine: str = "x86_64"
    env: Mapping[str, str] = field(default_factory=dict)
    files: Mapping[str, str] = field(default_factory=dict)
    outputs: Mapping[tuple[str, ...], Completed] = field(default_factory=dict)
    programs: frozenset[str] = frozenset()
    config: Mapping[str, str] = field(default_factory=dict)
    strings: Mapping[str, str] = field(default_factory=dict)
    cpuid_answer: CpuId | None = None
    hostname: str = "node1.cluster.example"
    usable_cpus: int = 8
    site_directories: tuple[str, ...] = ()
    calls: list[tuple[str, ...]] = field(default_factory=list)
    scratch: Callable[[tuple[str, ...]], ScratchRun] | None = None

    @property
    def platform(self) -> str:
        """The value of `sysconfig.get_platform()` on such a machine."""
        system = {"Darwin": "macosx-14.0", "Windows": "win"}.get(self.system, self.system.lower())
        return f"{system}-{self.machine.lower()}"

    @classmethod
    def load(cls, name: str) -> RecordedHost:
        """Return the machine recorded in the directory `name`."""
        directory = HOSTS / name
        data = cast("_HostFile", json.loads((directory / "host.json").read_text(encoding="utf-8")))
        below = directory / "files"
        host = cls(
            system=data["system"],
            machine=data["machine"],
            env=data.get("env", {}),
            files={
                f"/{path.relative_to(below).as_posix()}": path.read_text(encoding="utf-8")
                for path in below.rglob("*")
                if path.is_file()
            },
            outputs={
                tuple(o["argv"]): _completed(tuple(o["argv"]), o) for o in data.get("outputs", [])
            },
            programs=frozenset(output["argv"][0] for output in data.get("outputs", [])),
            config=data.get("config", {}),
            strings=data.get("confstr", {}),
            cpuid_answer=_cpuid(data["cpuid"]) if "cpuid" in data else None,
        )
        for path, recording in data.get("compilers", {}).items():
            host = host.with_compiler(path, recording)
        return host

    def with_env(self, **variables: str) -> RecordedHost:
        """Return this machine with more environment variables."""
        return dataclasses.replace(self, env={**self.env, **variables}, calls=[])

    def with_program(self, path: str, answers: Mapping[tuple[str, ...], Completed]) -> RecordedHost:
        """Return this machine with a program at `path`; `answers` are by arguments."""
        outputs = {(path, *arguments): answer for arguments, answer in answers.items()}
        return dataclasses.replace(
            self,
            programs=self.programs | {path},
            outputs={**self.outputs, **outputs},
            calls=[],
        )

    def with_compiler(self, path: str, recording: str) -> RecordedHost:
        """Return this machine with the compiler `recording` (of compilers/) at `path`."""
        return self.with_program(path, load_outputs(recording, path))

    def read_text(self, path: str, *, limit: int = READ_LIMIT) -> str | None:
        """Return the recorded file."""
        text = self.files.get(path)
        return None if text is None else text[:limit]

    def glob(self, pattern: str) -> tuple[str, ...]:
        """Return the recorded files and programs that match."""
        paths = {*self.files, *self.programs}
        return tuple(sorted(path for path in paths if fnmatch.fnmatchcase(path, pattern)))

    def which(self, name: str) -> str | None:
        """Return the recorded program."""
        if name.startswith("/") or name[1:3] == ":\\":
            return name if name in self.programs else None
        if "/" in name:
            return None
        windows = self.system == "Windows"
        for directory in self.env.get("PATH", "").split(";" if windows else ":"):
            path = f"{directory}\\{name}.exe" if windows else f"{directory}/{name}"
            if path in self.programs:
                return path
        return None

    def config_var(self, name: str) -> str | None:
        """Return the interpreter's build variable."""
        return self.config.get(name)

    def confstr(self, name: str) -> str | None:
        """Return the C library's configuration string."""
        return self.strings.get(name)

    def cpuid(self) -> CpuId | None:
        """Return the recorded result of CPUID."""
        return self.cpuid_answer

    def run(
        self,
        argv: Sequence[str],
        *,
        timeout: float = 20.0,
        cwd: Path | None = None,
        env: Mapping[str, str] | None = None,
    ) -> Completed:
        """Return the recorded output; for unknown arguments, fail as real programs do."""
        command = tuple(argv)
        self.calls.append(command)
        question = command
        while question not in self.outputs and question[1:2] and question[1].startswith("-"):
            question = (question[0], *question[2:])  # compilers answer after any other option
        if question in self.outputs:
            return self.outputs[question]
        if command[0] in self.programs:
            return Completed(argv=command, status=1, stdout="", stderr="unrecognized option\n")
        error = "could not be started: No such file or directory"
        return Completed(argv=command, status=None, stdout="", stderr="", error=error)

    def run_scratch(
        self,
        argv: Sequence[str],
        *,
        files: Mapping[str, str],
        output: str,
        timeout: float = 20.0,
        env: Mapping[str, str] | None = None,
    ) -> ScratchRun:
        """Return what `scratch` answers, by default what `run` does."""
        if self.scratch is None:
            return ScratchRun(done=self.run(argv))
        self.calls.append(tuple(argv))
        return self.scratch(tuple(argv))


def load_outputs(recording: str, path: str = "") -> dict[tuple[str, ...], Completed]:
    """Return what the compiler `recording` (of compilers/) at `path` prints, by its arguments."""
    text = (HOSTS / "compilers" / f"{recording}.json").read_text(encoding="utf-8")
    return {
        tuple(output["arguments"]): _completed((path, *output["arguments"]), output)
        for output in cast("_CompilerFile", json.loads(text))["outputs"]
    }


def recorded_hosts() -> tuple[str, ...]:
    """Return the names of all recorded machines."""
    return tuple(sorted(path.parent.name for path in HOSTS.glob("*/host.json")))


def _completed(argv: tuple[str, ...], output: _Output) -> Completed:
    return Completed(
        argv=argv,
        status=output.get("status", 0),
        stdout=output.get("stdout", ""),
        stderr=output.get("stderr", ""),
    )


def _cpuid(entry: _CpuIdEntry) -> CpuId:
    return CpuId(
        vendor=entry["vendor"],
        features=frozenset(entry["features"].split()),
        enabled_states=entry["enabled_states"],
        brand=entry["brand"],
    )
