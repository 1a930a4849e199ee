"""Programs on a PATH: compilers that answer as recorded ones, and build tools that refuse to run.

They are real executables, so that what starts them is tested as well.
"""

from __future__ import annotations

import platform
import shlex
import sysconfig
from pathlib import Path

from binaries.elves import elf, isa_note
from canned import NOTES
from hosts.recorded import load_outputs

#: Programs that no unit test starts, under the names by which probes and builds look for them.
BUILD_TOOLS = (
    *("cc", "c++", "gcc", "g++", "gfortran", "f95", "clang", "clang++", "flang", "cpp"),
    *(f"{platform.machine()}-linux-gnu-{name}" for name in ("gcc", "g++", "gfortran")),
    *("nvcc", "hipcc", "amdclang", "amdclang++", "cargo", "rustc"),
    *("ld", "ld.bfd", "ld.gold", "ld.lld", "lld", "mold", "as", "ar"),
    *("cmake", "ninja", "make", "meson"),
)
_CALLS = "calls.txt"
#: The compilers of write_compilers: the interpreter's variable, another name, and the recording.
_COMPILERS = {
    "gcc": ("CC", "cc", "gcc-12.2.0"),
    "g++": ("CXX", "c++", "gxx-12.2.0"),
    "gfortran": ("FC", "f95", "gfortran-12.2.0"),
}

# A refusal is recorded as well as printed: a probe that is refused goes on to the next program.
_REFUSE = """\
echo "${{0##*/}} $*" >> {calls}
echo "${{0##*/}}: unit tests do not start build tools" >&2
exit 97
"""

# Compiling is copying: a shared object with the ISA note of the level that -march names.
_COMPILER = """\
level=v1
while [ $# -gt 0 ]; do
    case $1 in
    --version) cat {directory}/{name}.version; exit ;;
    -v) cat {directory}/{name}.banner >&2; exit ;;
    -dM) echo "#define __GNUC__ 12"; exit ;;
    -o) output=$2; shift ;;
    -march=x86-64-v[234]) level=${{1##*-}} ;;
    esac
    shift
done
[ -n "$output" ] || {{ echo "{name}: fatal error: no input files" >&2; exit 1; }}
cp {directory}/$level.so "$output"
"""


class RefusingTools:
    """A directory of build tools that refuse to run and record how they were called."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self._calls = directory / _CALLS
        program = directory / "refuse"
        write_program(program, _REFUSE.format(calls=shlex.quote(str(self._calls))))
        for tool in BUILD_TOOLS:
            (directory / tool).symlink_to(program.name)

    def take_calls(self) -> str:
        """Return the command lines since the last time, one a line."""
        if not self._calls.exists():
            return ""
        calls = self._calls.read_text(encoding="utf-8")
        self._calls.unlink()
        return calls


def write_compilers(directory: Path) -> None:
    """Write gcc 12.2's compilers to `directory`, under every name that is looked for.

    rustc and the compilers of device code fail, as in a broken installation.
    """
    for level, bit in NOTES.items():
        (directory / f"{level}.so").write_bytes(elf(note=isa_note(bit)))
    for name, (variable, alias, recording) in _COMPILERS.items():
        outputs = load_outputs(recording)
        (directory / f"{name}.version").write_text(outputs[("--version",)].stdout, "utf-8")
        (directory / f"{name}.banner").write_text(outputs[("-v",)].stderr, "utf-8")
        text = _COMPILER.format(directory=shlex.quote(str(directory)), name=name)
        write_program(directory / name, text)
        # Probes look for the interpreter's compiler by the name that it was built with.
        own = Path(str(sysconfig.get_config_var(variable) or name).split()[0]).name
        for other in {own, alias} - {name}:
            (directory / other).symlink_to(name)
    for name in ("rustc", "nvcc", "hipcc"):
        write_program(directory / name, "exit 1")


def write_program(path: Path, body: str) -> Path:
    """Write a shell script to `path` that can be executed; return its path."""
    path.write_text(f"#!/bin/sh\n{body}\n", encoding="utf-8")
    path.chmod(0o755)
    return path
