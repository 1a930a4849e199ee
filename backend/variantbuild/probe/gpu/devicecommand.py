"""The command lines in CUDACXX and HIPCXX: launchers, the compiler, and arguments.

CMake documents arguments after the compiler in these variables ("CUDACXX", "HIPCXX"), and users put
compiler launchers before it.
"""

from __future__ import annotations

import posixpath
import re
import shlex

from variantbuild.host import Host
from variantbuild.probe.facts import Failed
from variantbuild.values import dataclass

_COMPILERS = re.compile(r"(nvcc|clang\+\+|clang|hipcc|amdclang\+\+)[-.\w]*")


@dataclass(frozen=True, kw_only=True, slots=True)
class DeviceCommand:
    """A device compiler's absolute path, with the words before and after it."""

    launcher: tuple[str, ...]
    program: str
    arguments: tuple[str, ...]


def parse_device_command(host: Host, variable: str) -> DeviceCommand | Failed | None:
    """Return the command in the environment `variable`; None if it is not set.

    The compiler is the first word with the name of one, else the first word. A value that is the
    path of a program, spaces included, is one word.
    """
    value = host.env.get(variable, "").strip()
    if not value:
        return None
    words = _split(host, value)
    if not words:
        return Failed(f"{variable}={value} has an unclosed quote")
    at = next((i for i, word in enumerate(words) if _is_compiler(word)), 0)
    paths: list[str] = []
    for word in (words[at], *(words[:1] if at else ())):
        path = host.which(word)
        if path is None:
            where = "does not exist" if posixpath.isabs(word) else "is not on PATH"
            return Failed(
                f"{variable}={value} {where}"
                if len(words) == 1
                else f"{variable}={value} names {word}, which {where}"
            )
        paths.append(path)
    return DeviceCommand(
        launcher=(*paths[1:], *words[1:at]), program=paths[0], arguments=tuple(words[at + 1 :])
    )


def _is_compiler(word: str) -> bool:
    return _COMPILERS.fullmatch(posixpath.basename(word)) is not None


def _split(host: Host, value: str) -> list[str]:
    if posixpath.isabs(value) and host.which(value) is not None:
        return [value]
    try:
        return shlex.split(value)
    except ValueError:
        return []
