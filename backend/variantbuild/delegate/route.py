"""The route that no project can discard: compilers on PATH that add the variant's flags themselves.

    changes = take_route(plan, delegation, handover, build_name=…)

On POSIX the compilers get wrappers under their usual names, in a directory at the front of PATH.
Variables such as CFLAGS are then needed only where a build calls a compiler by its absolute path.
"""

from __future__ import annotations

import contextlib
import os
import re
import shlex
from collections.abc import Mapping
from dataclasses import asdict, replace
from pathlib import Path

from variantbuild.config.buildsystem import BuildSystem
from variantbuild.config.canonical import digest_json
from variantbuild.delegate.absolute import reach_absolute
from variantbuild.delegate.drivers import VARIABLES, Call, find_wrappers
from variantbuild.delegate.handover.delegation import Delegation, Handover, find_setting
from variantbuild.delegate.handover.wrapper import REPLACED_NAME, Moved, Wrapper, render_wrapper
from variantbuild.delegate.mentions import read_build_files
from variantbuild.delegate.scons import reach_scons
from variantbuild.errors import DelegateError
from variantbuild.host import Host
from variantbuild.host.sourcetree import walk_sources
from variantbuild.host.userdirs import user_directory
from variantbuild.plan import BuildPlan

#: The directory of the wrappers, beside the objects of the build.
DIRECTORY_NAME = "variantbuild-compilers"

#: The command of VariantBuild.cmake that leaves all but the named targets without flags.
_PER_TARGET = re.compile(r"\bvariantbuild_targets_only\s*\(", re.I)


def can_route(plan: BuildPlan, source: Path, system: BuildSystem) -> bool:
    """Tell whether wrappers can add the flags of `plan`.

    Not on Windows, and not for a CMake project that chooses with VariantBuild.cmake which targets
    get the flags.
    """
    if os.name != "posix" or any(each.family == "msvc" for _, each in plan.compilers):
        return False
    if not plan.compilers:
        return False
    return not (system.runs_cmake and chooses_targets(source))


def wrapper_directory(delegation: Delegation, handover: Handover, build_name: str) -> Path:
    """Return where the wrappers stay as long as the objects, whose build stores their paths."""
    settings = dict(handover.config_settings)
    if delegation.system is BuildSystem.MESON_PYTHON:
        key = find_setting(settings, ("build-dir", "builddir"))
        kept = key is not None
    elif delegation.system.runs_cmake:
        kept = any(key.endswith("build-dir") and value for key, value in settings.items())
    else:
        kept = delegation.system is BuildSystem.SETUPTOOLS
    if not kept:
        return delegation.staging / DIRECTORY_NAME
    return delegation.source.resolve() / "build" / build_name / DIRECTORY_NAME


def take_route(
    plan: BuildPlan,
    host: Host,
    handover: Handover,
    directory: Path,
    *,
    moved: Moved | None = None,
) -> Handover:
    """Write the wrappers into `directory`, and return `handover` with PATH and CC naming them.

    `moved` is for a copied tree, whose path is another one in each build: the same sources have to
    give the same bytes. CC, CXX and FC are
    changed where the user, the interpreter or another channel sets them. Raises DelegateError if
    the wrappers cannot be written.
    """
    files = read_build_files(plan.project.path)
    wrappers = find_wrappers(plan, host, files, moved)
    directory = _write_where_they_run(wrappers, directory, host.env)
    env = {**host.env, **dict(handover.env)}
    changes = {"PATH": f"{directory}:{env.get('PATH', os.defpath)}"}
    names = {each.command: each.name for each in reversed(wrappers)}
    for language, compiler in plan.compilers:
        variable = VARIABLES[language]
        call = Call.of(compiler)
        configured = (host.config_var(variable) or "").split()[:1]
        absolute = any(os.path.isabs(word) for word in configured)  # noqa: PTH117 - of text
        if env.get(variable) or (absolute and not plan.delegate.system.runs_cmake):
            changes[variable] = shlex.join((names[call.command], *call.arguments))
    reached = reach_absolute(plan, host, env, directory, files, moved)
    changes |= reached.variables
    changes |= reach_scons(env, files, wrappers, directory, reached.variables)
    return replace(
        handover,
        env=tuple({**dict(handover.env), **changes}.items()),
        notes=(*handover.notes, *reached.notes),
        wrappers=directory,
    )


def _write_where_they_run(
    wrappers: tuple[Wrapper, ...], directory: Path, env: Mapping[str, str]
) -> Path:
    """Write the wrappers into `directory`; into the user's cache if nothing can be executed there.

    Servers may mount /tmp with noexec: a shell would then pass over the wrappers in silence.
    """
    write_wrappers(wrappers, directory)
    if _can_run(wrappers, directory):
        return directory
    cache = user_directory("cache", env)
    if cache is not None:
        digest = digest_json([asdict(each) for each in wrappers])
        home = cache / "variantbuild" / "compilers" / digest[:16]
        with contextlib.suppress(DelegateError):
            write_wrappers(wrappers, home)
            (home / REPLACED_NAME).unlink(missing_ok=True)
            if _can_run(wrappers, home):
                return home
    raise DelegateError(
        f"the compiler wrappers in {str(directory)!r} cannot be executed: the file system is "
        "mounted with noexec",
        hint="choose an output directory (for pip: TMPDIR) on a file system without noexec",
    )


def _can_run(wrappers: tuple[Wrapper, ...], directory: Path) -> bool:
    return all(os.access(directory / each.name, os.X_OK) for each in wrappers[:1])


def write_wrappers(wrappers: tuple[Wrapper, ...], directory: Path) -> None:
    """Write the scripts of `wrappers`, each with a timestamp that stands for what it does.

    ccache identifies a compiler by size and timestamp: the same flags of the same compiler have to
    give the same one, and other flags another.
    """
    if ":" in str(directory):
        raise DelegateError(
            f"{str(directory)!r} cannot be in PATH, because it contains a colon",
            hint="build in a directory without a colon in its path",
        )
    try:
        directory.mkdir(parents=True, exist_ok=True)
        for wrapper in wrappers:
            _write_wrapper(wrapper, directory)
    except OSError as error:
        raise DelegateError(
            f"the compiler wrappers cannot be written to {str(directory)!r}: {error.strerror}",
            hint="copy the source tree to a directory that you may write to, and check that the "
            "disk is not full",
        ) from None


def _write_wrapper(wrapper: Wrapper, directory: Path) -> None:
    path = directory / wrapper.name
    text = render_wrapper(wrapper, directory)
    programs = [Path(word) for word in wrapper.command]
    known = [each.stat() for each in programs if each.is_absolute() and each.is_file()]
    statuses = [(each.st_size, each.st_mtime_ns) for each in known]
    digest = int(digest_json([asdict(replace(wrapper, name="")), statuses])[:16], 16)
    moment = 1_000_000_000_000_000_000 + digest % 500_000_000_000_000_000
    try:
        before = path.read_text(encoding="utf-8")
    except OSError:
        before = ""
    if before != text:
        path.write_text(text, encoding="utf-8")
    path.chmod(0o755)
    os.utime(path, ns=(moment, moment))


def read_replaced(plan: BuildPlan, directory: Path) -> tuple[str, ...]:
    """Return the options that the wrappers in `directory` replaced, each once."""
    try:
        lines = (directory / REPLACED_NAME).read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ()
    ours = {flag for language, _ in plan.compilers for flag in plan.flags.of(language)}
    return tuple(sorted({line for line in lines.splitlines() if line and line not in ours}))


def chooses_targets(source: Path) -> bool:
    """Tell whether a CMake file of the tree `source` names the targets that get the flags."""
    for directory, names in walk_sources(source):
        for name in names:
            if name == "CMakeLists.txt" or name.endswith(".cmake"):
                try:
                    text = Path(directory, name).read_text(encoding="utf-8", errors="replace")
                except OSError:
                    continue
                if _PER_TARGET.search(text):
                    return True
    return False
