"""Trial compilation of device code: a small kernel, before the long build.

The compiler's dry run gets every architecture and flag, and one architecture is compiled for the
device alone. That finds a host compiler that nvcc rejects, architectures that are unknown or have
no device library, and invalid flags, in half a second of CPU time.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping

from variantbuild.errors import AcceleratorError
from variantbuild.host import Completed, Host
from variantbuild.plan.device.build import DeviceBuild
from variantbuild.plan.device.hostcompiler import OVERRIDE
from variantbuild.values import dataclass

_TIMEOUT = 60.0  # seconds; half of one on a quiet machine
_SOURCE, _OUTPUT = "variantbuild_trial.cu", "variantbuild_trial.out"
_KERNEL = "__global__ void variantbuild_trial(int *out) { *out = 1; }\n"
# The line that names the problem: nvcc's driver, an #error of host_config.h, gcc, clang.
_TELLING = re.compile(r"(?:nvcc fatal|\berror)\s*:\s*(?:#error -- )?(?P<text>.+)")
#: Variables from which nvcc (CUDA 11 and later), hipcc and clang take flags.
_FLAG_VARIABLES = (
    "NVCC_PREPEND_FLAGS",
    "NVCC_APPEND_FLAGS",
    "HIPCC_COMPILE_FLAGS_APPEND",
    "HIPCC_LINK_FLAGS_APPEND",
    "CCC_OVERRIDE_OPTIONS",
)
_HOST_COMPILER = re.compile(r"unsupported (?:GNU|clang) version", re.IGNORECASE)


@dataclass(frozen=True, kw_only=True, slots=True)
class DeviceTrial:
    """The commands that ran, and the compiler's refusal; None if it accepted everything."""

    commands: tuple[tuple[str, ...], ...]
    error: AcceleratorError | None = None


def try_device_build(
    host: Host, build: DeviceBuild, env: Mapping[str, str] | None = None
) -> DeviceTrial:
    """Compile a kernel as in `build`; `env` are the variables that the build's environment adds.

    The error contains the compiler's message if it fails; the time limit is 60 seconds.
    """
    added = dict(env or {})
    commands: tuple[tuple[str, ...], ...] = ()
    for command in _commands(build, {**host.env, **added}):
        commands = (*commands, command)
        files = {_SOURCE: _KERNEL}
        run = host.run_scratch(command, files=files, output=_OUTPUT, timeout=_TIMEOUT, env=added)
        if not run.done.ok:
            seen = {**host.env, **added}
            flags = {name: seen[name] for name in _FLAG_VARIABLES if seen.get(name)}
            error = _refusal(build, run.done)
            if flags:
                # The same command without the variables shows whether they are the cause.
                unset = {**added, **dict.fromkeys(flags, "")}
                again = host.run_scratch(
                    command, files=files, output=_OUTPUT, timeout=_TIMEOUT, env=unset
                )
                error = _blame(error, flags) if again.done.ok else error
            return DeviceTrial(commands=commands, error=error)
    return DeviceTrial(commands=commands)


def _blame(error: AcceleratorError, variables: Mapping[str, str]) -> AcceleratorError:
    """Return the error with its cause: flags that the compiler takes from the environment."""
    listed = " and ".join(f"{name}={value!r}" for name, value in variables.items())
    names = ", ".join(variables)
    return AcceleratorError(
        f"{error.message} (because of {listed} in the environment)",
        hint=f"unset {names}, or correct the flags in it",
    )


def _commands(
    build: DeviceBuild, env: Mapping[str, str]
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the dry run with everything and the compilation for one architecture."""
    name = build.toolkit.compiler
    if build.toolkit.kind == "rocm":
        device = ("--cuda-device-only", "-x", "hip", "-c", _SOURCE, "-o", _OUTPUT)
        return (
            (name, "-###", *build.architecture_flags, *build.flags, *device),
            (name, *build.architecture_flags[:1], *build.flags, *device),
        )
    ccbin = [f"-ccbin={build.host_compiler}"] if build.host_compiler else []
    allowed = [OVERRIDE] if OVERRIDE in shlex.split(env.get("CUDAFLAGS", "")) else []
    common = [*ccbin, *allowed, *build.flags, _SOURCE, "-o", _OUTPUT]
    form = "-cubin" if build.architectures.real else "-ptx"
    return (
        (name, "-dryrun", "-fatbin", *build.architecture_flags, *common),
        (name, form, *build.architecture_flags[:1], *common),
    )


def _refusal(build: DeviceBuild, answer: Completed) -> AcceleratorError:
    said = _TELLING.search(answer.stderr)
    toolkit = f"{build.toolkit} ({build.toolkit.compiler})"
    if said is None:
        return AcceleratorError(
            f"{toolkit} cannot compile a small kernel for {build.architectures}: it "
            f"{answer.failure or 'wrote no output'}",
            hint=f"try it by hand: {shlex.join(answer.argv)}",
        )
    text = said["text"].strip()
    if _HOST_COMPILER.search(text):
        return AcceleratorError(
            f"{toolkit} rejects the host compiler: {text.partition('!')[0].strip()}",
            hint=f"name an older compiler in CUDAHOSTCXX, or add {OVERRIDE} to flags.cuda",
        )
    return AcceleratorError(
        f"{toolkit} cannot compile a small kernel for {build.architectures}: {text}",
        hint="correct the architectures, flags.cuda or flags.hip, or name another toolkit",
    )
