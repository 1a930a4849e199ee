"""The text of scripts that stand for cc1, cc1plus, f951 and collect2, the programs that gcc runs.

A compiler that a project calls by its absolute path is not looked up on PATH. gcc however looks for
its own programs in COMPILER_PATH first, and names itself in COLLECT_GCC. clang reads the variable
CCC_OVERRIDE_OPTIONS. Sources: the gcc manual, "Environment Variables Affecting GCC"; clang's
driver.cpp (`applyOverrideOptions`).
"""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence

from variantbuild.probe.facts import Language
from variantbuild.values import dataclass

#: Set for a compiler that a wrapper runs, whose arguments already have the flags.
WRAPPED = "_VARIANTBUILD_WRAPPED"
#: The user's CCC_OVERRIDE_OPTIONS, where ours are in that variable.
OVERRIDDEN = "_VARIANTBUILD_CCC_OVERRIDE_OPTIONS"
#: The compiler proper of each language.
PROGRAMS: Mapping[Language, str] = {"c": "cc1", "cxx": "cc1plus", "fortran": "f951"}
LINKER = "collect2"

#: How options begin that the driver passes on to the compiler proper as they are.
_PASSED_ON = ("-D", "-O", "-U", "-W", "-f", "-g", "-m", "-std=")
_FOR_OTHERS = ("-Wa,", "-Wl,", "-Wp,", "-fuse-ld=")


@dataclass(frozen=True, kw_only=True, slots=True)
class Subprogram:
    """A program of gcc that gets more options where a certain driver runs it.

    `driver` is a pattern of the shell for the driver's path. `dropped` are the options that it
    passes on its own where no other is given, `before` and `after` are added in front and behind.
    If `replaced` is a file, all options that choose a CPU are left out, and listed there.
    """

    name: str
    driver: str
    dropped: tuple[str, ...] = ()
    before: tuple[str, ...] = ()
    after: tuple[str, ...] = ()
    replaced: str = ""


def compiler_options(flags: Sequence[str]) -> tuple[str, ...]:
    """Return those of a driver's `flags` that the compiler proper takes."""
    return tuple(
        each for each in flags if each.startswith(_PASSED_ON) and not each.startswith(_FOR_OTHERS)
    )


def linker_options(flags: Sequence[str]) -> tuple[str, ...]:
    """Return what a driver makes of `flags` for the linker."""
    found: list[str] = []
    for each in flags:
        if each.startswith("-Wl,"):
            found += each.split(",")[1:]
        elif each.startswith(("-l", "-L")):
            found.append(each)
    return tuple(found)


def render_subprogram(programs: Sequence[Subprogram], users_path: str | None) -> str:
    """Return the script for `programs`, all of one name; `users_path` is their COMPILER_PATH."""
    name = programs[0].name
    restore = (
        "unset COMPILER_PATH"
        if users_path is None
        else f"COMPILER_PATH={shlex.quote(users_path)}; export COMPILER_PATH"
    )
    return "\n".join(
        (
            "#!/bin/sh",
            "# Written by variantbuild: adds the flags of the variant that is built.",
            restore,
            f'real=$("${{COLLECT_GCC:-gcc}}" -print-prog-name={name})',
            f'[ -z "${WRAPPED}" ] || exec "$real" "$@"',
            "case $COLLECT_GCC in",
            *(line for each in programs for line in _arm(each)),
            "esac",
            'exec "$real" "$@"',
            "",
        )
    )


def _arm(program: Subprogram) -> tuple[str, ...]:
    before, after = shlex.join(program.before), shlex.join(program.after)
    line = " ".join(filter(None, ('exec "$real"', before, '"$@"', after)))
    if program.name == LINKER:
        shared = 'case " $* " in *" -shared "*)'
        return (f"{program.driver})", f"  {shared} {line} ;; esac ;;")
    dropped = "|".join(map(shlex.quote, program.dropped))
    loop: tuple[str, ...] = ()
    if program.replaced:
        loop = tuple(line.replace("LOG", shlex.quote(program.replaced)) for line in _WITHOUT_CPU)
    elif dropped:
        loop = (f'  for a do shift; case $a in {dropped}) ;; *) set -- "$@" "$a" ;; esac; done',)
    return (f"{program.driver})", *loop, f"  {line} ;;")


# The driver turns `native` into many options. COLLECT_GCC_OPTIONS has those that it was given.
_WITHOUT_CPU = (
    '  given=" $COLLECT_GCC_OPTIONS " native=',
    '  case $given in *" \'-march="*|*" \'-mcpu="*|*" \'-mtune="*)',
    "    printf '%s\\n' \"$given\" | grep -oE \"'-m(arch|cpu|tune)=[^']*'\" | tr -d \"'\" >>LOG ;;",
    "  esac",
    '  case $given in *"=native\' "*) native=1 ;; esac',
    "  for a do",
    "    shift",
    "    case $a in",
    "    -march=*|-mcpu=*|-mtune=*) continue ;;",
    "    -m*) case $native$given in 1*\" '$a' \"*) ;; 1*) continue ;; esac ;;",
    "    esac",
    '    set -- "$@" "$a"',
    "  done",
)
