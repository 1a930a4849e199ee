"""A small kernel compiled before the long build: does this compiler take what it will be given?

Every architecture and switch is put to the compiler's dry run, one architecture is compiled for
the device alone. That finds a host compiler that nvcc refuses, architectures that are unknown or
have no device library, and switches that are none, in half a second of processor time.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping
from pathlib import Path

from variantbuild.errors import AcceleratorError
from variantbuild.host import Completed, Host
from variantbuild.plan.device.build import DeviceBuild
from variantbuild.plan.device.hostcompiler import OVERRIDE

_TIMEOUT = 60.0  # seconds; half of one on a quiet machine
_KERNEL = "__global__ void variantbuild_trial(int *out) { *out = 1; }\n"
# The line that says what is wrong: nvcc's driver, an #error of host_config.h, gcc, clang.
_TELLING = re.compile(r"(?:nvcc fatal|\berror)\s*:\s*(?:#error -- )?(?P<text>.+)")
_HOST_COMPILER = re.compile(r"unsupported (?:GNU|clang) version", re.IGNORECASE)


def try_device_build(
    host: Host, build: DeviceBuild, folder: Path, env: Mapping[str, str] | None = None
) -> None:
    """Compile a kernel in `folder` as `build` says; `env` is what the build's environment adds.

    Raises AcceleratorError with the compiler's own words where it refuses, or does not end within
    60 seconds.
    """
    folder = folder.resolve()
    source = folder / "variantbuild_trial.cu"
    source.write_text(_KERNEL, encoding="utf-8")
    output = str(folder / "variantbuild_trial.out")
    added = dict(env or {})
    for command in _commands(build, str(source), output, {**host.env, **added}):
        answer = host.run(command, timeout=_TIMEOUT, cwd=folder, env=added)
        if not answer.ok:
            raise _refusal(build, answer)


def _commands(
    build: DeviceBuild, source: str, output: str, env: Mapping[str, str]
) -> tuple[list[str], list[str]]:
    """Return the dry run with everything and the compilation for one architecture."""
    name = build.toolkit.compiler
    if build.toolkit.kind == "rocm":
        device = ["--cuda-device-only", "-x", "hip", "-c", source, "-o", output]
        return (
            [name, "-###", *build.device_switches, *build.switches, *device],
            [name, *build.device_switches[:1], *build.switches, *device],
        )
    ccbin = [f"-ccbin={build.host_compiler}"] if build.host_compiler else []
    allowed = [OVERRIDE] if OVERRIDE in shlex.split(env.get("CUDAFLAGS", "")) else []
    common = [*ccbin, *allowed, *build.switches, source, "-o", output]
    form = "-cubin" if build.architectures.real else "-ptx"
    return (
        [name, "-dryrun", "-fatbin", *build.device_switches, *common],
        [name, form, *build.device_switches[:1], *common],
    )


def _refusal(build: DeviceBuild, answer: Completed) -> AcceleratorError:
    said = _TELLING.search(answer.stderr)
    toolkit = f"{build.toolkit} ({build.toolkit.compiler})"
    if said is None:
        return AcceleratorError(
            f"{toolkit} cannot compile a small kernel for {build.architectures}: it "
            f"{answer.failure or 'made nothing'}",
            hint=f"try it by hand: {shlex.join(answer.argv)}",
        )
    text = said["text"].strip()
    if _HOST_COMPILER.search(text):
        return AcceleratorError(
            f"{toolkit} refuses the host compiler: {text.partition('!')[0].strip()}",
            hint=f"name an older one in CUDAHOSTCXX, or add {OVERRIDE} to flags.cuda",
        )
    return AcceleratorError(
        f"{toolkit} cannot compile a small kernel for {build.architectures}: {text}",
        hint="correct the architectures, flags.cuda or flags.hip, or name another toolkit",
    )
