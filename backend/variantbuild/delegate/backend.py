"""The wrapped backend as an object: how it is loaded and how its hooks are called."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, MutableMapping, Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path

from variantbuild.config.buildsystem import SETUPTOOLS_BACKEND, BuildSystem, package_of
from variantbuild.config.delegatespec import DelegateSpec
from variantbuild.delegate.cmakeplugin import deferred_plugin
from variantbuild.delegate.imported import import_backend
from variantbuild.delegate.restored import restored_process
from variantbuild.delegate.treelock import take_turn
from variantbuild.errors import DelegateError, UnsupportedOperation
from variantbuild.host.ending import watch_processes
from variantbuild.host.searchpath import search_path
from variantbuild.messages import Reporter

#: The first setuptools that has the hooks of PEP 660 and lets a wheel build set its directory.
OLDEST_SETUPTOOLS = 64

#: The hooks that a backend may leave out (PEP 517 and PEP 660).
OPTIONAL_HOOKS = (
    "get_requires_for_build_wheel",
    "get_requires_for_build_sdist",
    "get_requires_for_build_editable",
    "prepare_metadata_for_build_wheel",
    "prepare_metadata_for_build_editable",
    "build_editable",
)
#: Those that it has to have.
_HOOKS = ("build_wheel", "build_sdist")


class Delegate:
    """A loaded backend, with the environment and the reporter of the build that it serves.

    `env` is what the backend and the programs that it starts see: `os.environ` in a real build.
    """

    def __init__(
        self,
        spec: DelegateSpec,
        target: object,
        *,
        env: MutableMapping[str, str],
        reporter: Reporter,
    ) -> None:
        self.spec = spec
        self.env = env
        self.reporter = reporter
        self._target = target

    @property
    def kind(self) -> str:
        """The backend that this one is or wraps, as PEP 517 writes it.

        An in-tree backend usually wraps setuptools, and then gets the settings of setuptools.
        """
        if self.spec.system.channel != "environment" or not _imported("setuptools"):
            return self.spec.backend
        return SETUPTOOLS_BACKEND

    @property
    def system(self) -> BuildSystem:
        """The build system that this backend is or wraps."""
        return BuildSystem.of(self.kind)

    @property
    def version(self) -> str:
        """The version of the backend's package; empty if it does not state one."""
        package = sys.modules.get(package_of(self.kind))
        version = getattr(package, "__version__", "")
        return version if isinstance(version, str) else ""

    def has(self, hook: str) -> bool:
        """Tell whether the backend has `hook`."""
        return callable(getattr(self._target, hook, None))

    def moved(self, source: Path, tree: Path) -> Delegate:
        """Return the backend for a build in `tree`, a copy of `source`.

        A backend in the tree is imported again from the copy: it may look for files next to it.
        """
        if not self.spec.path:
            return self
        home = source.resolve()
        within = [each for path in self.spec.path if (each := path.resolve()).is_relative_to(home)]
        for name in _imported_from(within):
            del sys.modules[name]
        paths = tuple(tree / path.resolve().relative_to(home) for path in self.spec.path)
        ours = {str(path) for path in self.spec.path}
        sys.path[:] = [entry for entry in sys.path if entry not in ours]
        return load_delegate(replace(self.spec, path=paths), env=self.env, reporter=self.reporter)

    def call(self, hook: str, *args: object, env: Mapping[str, str] | None = None) -> object:
        """Call `hook` with `args`, with the variables of `env` set during the call.

        Waits for any other build in the same source tree, which is the current directory. The
        umask is 022 during the call: it shows in the permissions of members, and the same input
        has to give the same bytes. PATH has its absolute directories only. What the backend changes
        in the process is restored.

        Raises DelegateError if the backend lacks the hook or exits the process with status 0: a
        hook that does not return has not built anything. A SystemExit with another status, and
        other exceptions, are the backend's own and pass through; its UnsupportedOperation
        (PEP 517) becomes ours, which front ends look for.
        """
        function = getattr(self._target, hook, None)
        if not callable(function):
            raise DelegateError(
                f"delegate {self.spec.backend!r} ({self.spec.origin}) has no {hook} hook"
            )
        kind = getattr(self._target, "UnsupportedOperation", None)
        unsupported: tuple[type[Exception], ...] = ()
        if isinstance(kind, type) and issubclass(kind, Exception):
            unsupported = (kind,)
        changes = dict(env or {})
        if (path := search_path({**self.env, **changes})) is not None:
            for warning in path.warnings if hook.startswith("build_") else ():
                self.reporter.warning(warning)
            changes["PATH"] = path.text
        watch_processes()  # the compilers are started by the backend
        with (
            take_turn(Path.cwd(), self.env, self.reporter),
            restored_process(self.env, changes, 0o022),
            deferred_plugin(),
        ):
            try:
                return function(*args)
            except unsupported as error:
                raise UnsupportedOperation(*error.args) from error
            except SystemExit as stop:
                if stop.code:
                    self.reporter.note(f"delegate {self.spec.backend!r} stopped in {hook}")
                    raise
                raise DelegateError(
                    f"delegate {self.spec.backend!r} stopped in {hook}: it exited with status 0",
                    hint="see its output above",
                ) from stop


def load_delegate(
    spec: DelegateSpec, *, env: MutableMapping[str, str], reporter: Reporter
) -> Delegate:
    """Import the backend that `spec` names, its directories first on `sys.path`.

    Raises DelegateError if it is not installed or has no such object.
    """
    target: object = import_backend(spec)
    attributes = spec.backend.partition(":")[2]
    for attribute in filter(None, attributes.split(".")):
        if not hasattr(target, attribute):
            raise DelegateError(
                f"delegate {spec.backend!r} ({spec.origin}) has no object {attribute!r}"
            )
        target = getattr(target, attribute)
    # A hook that is missing is reported when it is called: some backends have only a few.
    if not any(callable(getattr(target, hook, None)) for hook in (*_HOOKS, *OPTIONAL_HOOKS)):
        raise DelegateError(
            f"delegate {spec.backend!r} ({spec.origin}) is not a PEP 517 backend: it has "
            "no build_wheel hook"
        )
    delegate = Delegate(spec, target, env=env, reporter=reporter)
    _refuse_old_setuptools(delegate)
    return delegate


def _refuse_old_setuptools(delegate: Delegate) -> None:
    """Refuse a setuptools that does not accept flags and a build directory.

    Our own requirements have no bound: projects with another backend may pin an older one.
    """
    if delegate.system is not BuildSystem.SETUPTOOLS or not delegate.version:
        return
    major = delegate.version.partition(".")[0]
    if not major.isdecimal() or int(major) < OLDEST_SETUPTOOLS:
        raise DelegateError(
            f"delegate {delegate.spec.backend!r} ({delegate.spec.origin}): setuptools "
            f"{delegate.version} is installed, and variantbuild needs {OLDEST_SETUPTOOLS} or "
            "newer",
            hint="raise the bound on setuptools in [build-system] requires",
        )


def _imported_from(directories: Sequence[Path]) -> list[str]:
    """Return the modules that were imported from below `directories`, which are real paths."""
    starts = tuple(f"{directory / '_'}"[:-1] for directory in directories)
    real = cache(os.path.realpath)  # once for each directory: a process has thousands of modules
    places = {
        name: place
        for name, module in list(sys.modules.items())
        if isinstance(place := getattr(module, "__file__", None), str)
    }
    return [
        name
        for name, place in places.items()
        if f"{real(os.path.split(place)[0])}{os.sep}".startswith(starts)
    ]


def _imported(module: str) -> bool:
    return module in sys.modules


def requirements(value: object, hook: str, spec: DelegateSpec) -> list[str]:
    """Check what a get_requires hook returned; raises DelegateError for anything but strings."""
    if not isinstance(value, Sequence) or isinstance(value, str):
        raise DelegateError(
            f"delegate {spec.backend!r} returned {value!r} from {hook}: expected a list"
        )
    return [str(item) for item in value]
