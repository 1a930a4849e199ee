"""SCons runs compilers in an environment of its own; a site directory passes on that of the build.

SCons executes the file `site_init.py` of the directory that its option `--site-dir` names, and
reads options from the variable SCONSFLAGS (its manual, "Where To Put Your Custom Builders and
Tools", and "SCONSFLAGS"). The options are separated by whitespace, which none can contain.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping, Sequence
from hashlib import sha256
from itertools import pairwise
from pathlib import Path

from variantbuild.delegate.handover.wrapper import Wrapper
from variantbuild.delegate.mentions import BuildFiles
from variantbuild.errors import DelegateError
from variantbuild.host.userdirs import user_directory

_SITE_DIR = re.compile(r"--(?:no-site-dir|site-dir(?:=(?P<given>.*))?)")
_RUNS_SCONS = re.compile("scons", re.I)
#: Tells the site directory about the build, as JSON.
_VARIABLE = "_VARIANTBUILD_SCONS"

_TEXT = """\
# Written by variantbuild: SCons runs programs without the environment of the build.
def _variantbuild(names):
    import json
    import os
    import shutil
    import sys

    import SCons.Node.FS
    import SCons.Platform.posix as posix
    import SCons.Script.Main as main

    given = json.loads(os.environ["VARIABLE"])
    directory, compilers = given["directory"], given["compilers"]

    def with_wrappers(path):
        for name, real in compilers.items():
            found = shutil.which(name, path=path)
            if found and not found.startswith(directory) and os.path.realpath(found) != real:
                return path  # the project's own compilers
        return directory + os.pathsep + path

    def extended(call):
        def run(words, env, *rest, **more):
            env = dict(env, **given["variables"])
            env["PATH"] = with_wrappers(env.get("PATH") or os.defpath)
            return call(words, env, *rest, **more)

        return run

    posix.exec_subprocess = extended(posix.exec_subprocess)
    posix.exec_popen3 = extended(posix.exec_popen3)
    # This directory takes the place of the usual ones, or of the user's.
    top = SCons.Node.FS.get_default_fs().SConstruct_dir.get_internal_path()
    if given["users"] is None:
        main._load_all_site_scons_dirs(top)
    elif given["users"]:
        main._load_site_scons_dir(top, given["users"])
    defined = vars(sys.modules["SCons.Script"]).items()
    names.update((name, value) for name, value in defined if not name.startswith("__"))


_variantbuild(globals())
""".replace("VARIABLE", _VARIABLE)


def reach_scons(
    env: Mapping[str, str],
    files: BuildFiles,
    wrappers: Sequence[Wrapper],
    directory: Path,
    changes: Mapping[str, str],
) -> dict[str, str]:
    """Write a site directory beside the `wrappers`; return the variables that SCons reads.

    `env` is the environment of the build, `changes` are the variables that compilers called by a
    path obey. {} if no build file mentions SCons. Raises DelegateError if it cannot be written.
    """
    names = (file.name for file, _ in files)
    if not any(map(_RUNS_SCONS.search, (*names, *(text for _, text in files)))):
        return {}
    users = env.get("SCONSFLAGS", "").split()
    given = {
        "directory": str(directory),
        "compilers": {each.name: os.path.realpath(each.command[-1]) for each in wrappers},
        "variables": dict(changes),
        "users": _users_directory(users),
    }
    place = _place(directory, env)
    try:
        place.mkdir(parents=True, exist_ok=True)
        (place / "site_init.py").write_text(_TEXT, encoding="utf-8")
    except OSError as error:
        raise DelegateError(
            f"the site directory for SCons cannot be written to {str(place)!r}: {error.strerror}",
            hint="choose an output directory that you may write to",
        ) from None
    return {
        "SCONSFLAGS": " ".join((*users, f"--site-dir={place}")),
        _VARIABLE: json.dumps(given),
    }


def _users_directory(words: Sequence[str]) -> str | None:
    """Return the site directory that the user names; '' for none, None for the usual ones."""
    found: str | None = None
    for word, following in pairwise((*words, "")):
        match = _SITE_DIR.fullmatch(word)
        if match is None:
            continue
        if word.startswith("--no"):
            found = ""
        else:
            found = following if match["given"] is None else match["given"]
    return found


def _place(directory: Path, env: Mapping[str, str]) -> Path:
    """Return where the site directory goes: into the user's cache if a path has whitespace."""
    place = directory / "scons"
    cache = user_directory("cache", env)
    if cache is not None and len(str(place).split()) > 1:
        digest = sha256(_TEXT.encode()).hexdigest()
        place = cache / "variantbuild" / "scons" / digest[:16]
    if len(str(place).split()) > 1:
        raise DelegateError(
            f"{str(place)!r} cannot be passed to SCons in SCONSFLAGS, because it contains "
            "whitespace",
            hint="choose an output directory (for pip: TMPDIR) without whitespace in its path",
        )
    return place
