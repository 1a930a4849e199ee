"""Build a wheel through the hooks in an isolated environment, with the API of `build`.

Requires the package `build` (the extra of the same name).
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

from variantbuild.errors import DelegateError, VariantBuildError
from variantbuild.frontend.situation import FRONTEND_VARIABLE
from variantbuild.messages import MESSAGES_VARIABLE

Step = Callable[[str], None]


class BuildFailedError(DelegateError):
    """A hook or the setup of its environment failed; `log` contains the output."""

    def __init__(self, message: str, log: str) -> None:
        super().__init__(message)
        self.log = log


def build_isolated(
    source: Path,
    destination: Path,
    config_settings: Mapping[str, str | list[str]],
    *,
    isolation: bool,
    step: Step,
    log: Path,
    messages: Path,
    env: Mapping[str, str],
) -> Path:
    """Build the wheel of the tree at `source` into `destination`; return its path.

    `step` is called with a description of each step as it begins. All output goes to the file
    `log`; what the hooks report also goes to the file `messages`. `env` is the environment of the
    hooks. With `isolation` the build requirements are installed into a new environment by pip, as
    it is configured; otherwise they must be installed already. Raises BuildFailedError, and
    VariantBuildError if the package `build` is missing.
    """
    try:
        import build
        from build.env import DefaultIsolatedEnv
    except ModuleNotFoundError:
        raise VariantBuildError(
            "`variantbuild build` needs the package `build`, which is not installed",
            hint="pip install 'variantbuild[build]', or use `python -m build` or `pip wheel`",
        ) from None
    runner = _logging_runner(log, messages, env)
    with _failures(source, log):
        if not isolation:
            builder = build.ProjectBuilder(source, runner=runner)
            _require(builder, config_settings)
            step("compiling")
            return Path(builder.build("wheel", destination, config_settings))
        step("creating an environment")
        with DefaultIsolatedEnv() as isolated:
            builder = build.ProjectBuilder.from_isolated_env(isolated, source, runner)
            step("installing build requirements")
            isolated.install(builder.build_system_requires)
            isolated.install(builder.get_requires_for_build("wheel", config_settings))
            step("compiling")
            return Path(builder.build("wheel", destination, config_settings))


@contextmanager
def _failures(source: Path, log: Path) -> Iterator[None]:
    """Convert exceptions of the package `build` to BuildFailedError with the build's output."""
    import build

    try:
        yield
    except build.BuildBackendException as error:
        cause = error.exception
        status = (
            f"exit status {cause.returncode}"
            if isinstance(cause, subprocess.CalledProcessError)
            else str(cause)
        )
        raise BuildFailedError(f"the build of {source} failed: {status}", _read(log)) from None
    except subprocess.CalledProcessError as error:
        output = _text(error.stdout) + _text(error.stderr)
        raise BuildFailedError(
            f"the build requirements of {source} could not be installed", output or str(error)
        ) from None
    except build.BuildException as error:
        raise BuildFailedError(f"{source} cannot be built: {error}", _read(log)) from None


def _require(builder: object, config_settings: Mapping[str, str | list[str]]) -> None:
    import build

    assert isinstance(builder, build.ProjectBuilder)
    missing = builder.check_dependencies("wheel", config_settings)
    if missing:
        names = ", ".join(sorted(chain[-1] for chain in missing))
        raise VariantBuildError(
            f"--no-isolation requires the build requirements to be installed; missing: {names}",
            hint=f"{sys.executable} -m pip install {names}",
        )


class _Runner(Protocol):
    def __call__(
        self,
        cmd: Sequence[str],
        cwd: str | None = None,
        extra_environ: Mapping[str, str] | None = None,
    ) -> None: ...


def _logging_runner(log: Path, messages: Path, env: Mapping[str, str]) -> _Runner:
    ours = {FRONTEND_VARIABLE: "variantbuild", MESSAGES_VARIABLE: str(messages)}

    def run(
        cmd: Sequence[str],
        cwd: str | None = None,
        extra_environ: Mapping[str, str] | None = None,
    ) -> None:
        merged = {**env, **(extra_environ or {}), **ours}
        with log.open("ab") as stream:
            subprocess.run(
                cmd, cwd=cwd, env=merged, check=True, stdout=stream, stderr=subprocess.STDOUT
            )

    return run


def _read(log: Path) -> str:
    return log.read_text("utf-8", "replace") if log.exists() else ""


def _text(output: str | bytes | None) -> str:
    return output.decode("utf-8", "replace") if isinstance(output, bytes) else output or ""
