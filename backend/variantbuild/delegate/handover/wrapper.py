"""The text of a compiler wrapper: a small POSIX shell script that adds the variant's flags.

Nothing that a project sets can discard flags that the compiler itself adds. The flags come before
the arguments, so that a file's own `-mavx512f` still takes effect, and the user's `flags.*` come
after them: they are meant for every compilation.
"""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from variantbuild.delegate.handover.subprogram import OVERRIDDEN, WRAPPED
from variantbuild.probe.facts import CompilerFamily, Language
from variantbuild.values import dataclass

#: The file beside the wrappers that lists the options that `override-march` replaced.
REPLACED_NAME = "replaced"

#: Single arguments that only ask the compiler something.
_QUESTIONS = "|".join(
    f"1:{word}"
    for word in ("--version", "-v", "-V", "--help*", "-dump[vfm]*", "-print-*", "--print-*")
)


class Moved(NamedTuple):
    """A copied tree, and the original that stands for it in debug information and `__FILE__`."""

    copy: str
    original: str

    @property
    def mapping(self) -> str:
        """The option of gcc and clang that replaces the one path by the other."""
        return f"-ffile-prefix-map={self.copy}={self.original}"

    @property
    def directory(self) -> str:
        """The option of clang that names the directory that a compiler runs in."""
        return f"-fdebug-compilation-dir={self.original}"


@dataclass(frozen=True, kw_only=True, slots=True)
class Wrapper:
    """A compiler under one `name`.

    `command` is what the script runs: launchers and the absolute path of the program. `before` are
    the variant's flags, `after` the user's, `shared` is added in front when a shared object is
    linked and `shared_after` behind. `dropped` are exact arguments that are left out: CPU options
    of the interpreter's configuration. With `override` all options that choose a CPU are. `moved`
    is for a clang in a copied tree.
    """

    name: str
    command: tuple[str, ...]
    language: Language
    family: CompilerFamily
    before: tuple[str, ...] = ()
    after: tuple[str, ...] = ()
    shared: tuple[str, ...] = ()
    shared_after: tuple[str, ...] = ()
    dropped: tuple[str, ...] = ()
    override: bool = False
    moved: Moved | None = None


def render_wrapper(wrapper: Wrapper, directory: Path) -> str:
    """Return the script of `wrapper`, which is to be written into `directory`.

    The directory is taken out of PATH, so that ccache and distcc, which search PATH for the real
    compiler, do not find the script again.
    """
    plain = shlex.join(wrapper.command)
    return "\n".join(
        (
            "#!/bin/sh",
            "# Written by variantbuild: adds the flags of the variant that is built.",
            f"own={shlex.quote(str(directory))}",
            'case :$PATH: in *:"$own":*)',
            '  p=:$PATH: p=${p%%:"$own":*}:${p#*:"$own":} p=${p#:} PATH=${p%:} ;;',
            "esac",
            f"{WRAPPED}=1; export {WRAPPED}",
            f'[ -z "${{{OVERRIDDEN}+x}}" ] || CCC_OVERRIDE_OPTIONS=${OVERRIDDEN}',
            f'case $#:$1 in 0:|{_QUESTIONS}) exec {plain} "$@" ;; esac',
            *_filter(wrapper),
            *_name_directory(wrapper),
            *_run(wrapper),
            "",
        )
    )


def _name_directory(wrapper: Wrapper) -> tuple[str, ...]:
    """Return the lines that choose how clang names the original of a copied tree.

    It records its arguments, and the path of the copy is another one in each build: the copy is
    named only if the arguments of the build name it already.
    """
    if wrapper.moved is None:
        return ()
    copy = shlex.quote(wrapper.moved.copy)
    directory = shlex.quote(wrapper.moved.directory)
    return (
        f'case "$*" in *{copy}*) where={shlex.quote(wrapper.moved.mapping)} ;;',
        f"*) where=$(pwd -P); case $where/ in {copy}/*)",
        f"  where={directory}${{where#{copy}}} ;; *) where= ;; esac ;;",
        "esac",
    )


def _run(wrapper: Wrapper) -> tuple[str, ...]:
    """Return the lines that run the compiler; a shared object is linked with more options."""
    shared: tuple[str, ...] = ()
    if wrapper.shared or wrapper.shared_after:
        behind = (*wrapper.after, *wrapper.shared_after)
        shared = (
            'case " $* " in *" -shared "*|*" --shared "*)',
            '  case " $* " in *" -c "*|*" -S "*|*" -E "*) ;; *)',
            *(f"    {line}" for line in _execute(wrapper, wrapper.shared, behind)),
            "  esac ;;",
            "esac",
        )
    return (*shared, *_execute(wrapper, (), wrapper.after))


def _execute(wrapper: Wrapper, before: tuple[str, ...], after: tuple[str, ...]) -> tuple[str, ...]:
    command = shlex.join((*wrapper.command, *wrapper.before, *before))
    where = "" if wrapper.moved is None else '${where:+"$where"}'
    line = " ".join(filter(None, (command, where, '"$@"', shlex.join(after))))
    if not wrapper.override:
        return (f"exec {line}",)
    return (
        f'[ -n "$files" ] || exec {line}',
        f'{line}; status=$?; rm -f "$files" "$files".*; exit "$status"',
    )


def _filter(wrapper: Wrapper) -> tuple[str, ...]:
    """Return the lines that leave out options that choose a CPU; none if all arguments stay."""
    exact = "|".join(map(shlex.quote, wrapper.dropped))
    if wrapper.override:
        return _override(wrapper, exact)
    if not exact:
        return ()
    words = "|".join(f'*" "{shlex.quote(word)}" "*' for word in wrapper.dropped)
    return (
        f'case " $* " in {words})',
        f'  for a do shift; case $a in {exact}) ;; *) set -- "$@" "$a" ;; esac; done ;;',
        "esac",
    )


def _override(wrapper: Wrapper, exact: str) -> tuple[str, ...]:
    nvhpc = wrapper.family == "nvhpc"
    patterns = (*_PATTERNS, *_MORE_PATTERNS.get(wrapper.family, ()))
    starts = "|".join(f'*" "{pattern}*' for pattern in (*patterns, *(("-tp",) if nvhpc else ())))
    log = f'>>"$own"/{REPLACED_NAME}'
    return (
        "files= skip=",
        f'case " $*" in {starts}|*" @"*)',
        "  for a do",
        "    shift",
        *(
            (f'    if [ -n "$skip" ]; then skip=; echo "-tp=$a" {log}; continue; fi',)
            if nvhpc
            else ()
        ),
        "    case $a in",
        *((f"    {exact}) continue ;;",) if exact else ()),
        *(("    -tp) skip=1; continue ;;",) if nvhpc else ()),
        f"    {'|'.join(f'{pattern}*' for pattern in patterns)})",
        f"      printf '%s\\n' \"$a\" {log}; continue ;;",
        *(line.replace("LOG", log) for line in _RESPONSE_FILE),
        "    esac",
        '    set -- "$@" "$a"',
        "  done ;;",
        "esac",
    )


#: How options begin that choose a CPU, as patterns of the shell.
_PATTERNS = ("-march=", "-mcpu=", "-mtune=")
_MORE_PATTERNS: Mapping[CompilerFamily, tuple[str, ...]] = {
    "icx": ("-x[A-Z]", "-ax[A-Z]"),
    "nvhpc": ("-tp=",),
}

# A response file is copied without them; the copy is removed after the compiler has run.
_RESPONSE_FILE = (
    '    @*) if [ -f "${a#@}" ] && grep -qE -e \'-m(arch|cpu|tune)=\' "${a#@}"; then',
    '      [ -n "$files" ] || files=$(mktemp "${TMPDIR:-/tmp}/variantbuild-XXXXXX") || exit 1',
    '      file=$files.0; while [ -e "$file" ]; do file=$file.0; done',
    "      grep -oE -e '-m(arch|cpu|tune)=[^[:space:]\"'\\'']+' \"${a#@}\" LOG",
    "      sed -E 's/[\"'\\'']?-m(arch|cpu|tune)=[^[:space:]\"'\\'']*[\"'\\'']?//g' "
    '"${a#@}" >"$file"',
    "      a=@$file; fi ;;",
)
