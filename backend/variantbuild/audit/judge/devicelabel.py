"""Checks that the GPU code in a wheel matches its `cu` or `rocm` label."""

from __future__ import annotations

import re
from collections.abc import Iterator

from variantbuild.audit.judge.findings import Finding, Severity, evidence_of
from variantbuild.audit.report import FileReport
from variantbuild.variant.axes import Accelerator

_RUNTIMES = {
    "cuda": r"lib(?:cudart|nvrtc|cublas|cublasLt|cufft)(?:-[0-9a-f]+)?\.so\.(\d+)",
    "rocm": r"lib(?:amdhip64|hipblas|rocblas)(?:-[0-9a-f]+)?\.so\.(\d+)",
}
_NUMBERED_LIKE_THE_TOOLKIT = r"lib(?:cudart|cublas|cublasLt)\b.*"


def judge_devices(
    files: tuple[FileReport, ...], accelerator: Accelerator | None
) -> Iterator[Finding]:
    """Compare device code and GPU runtimes with the declared accelerator, if any."""
    for file in files:
        if file.device is not None and file.device.fault is not None:
            yield _finding(
                "error", f"has device code that cannot be read: {file.device.fault}", file
            )
    kinds = {kind: list(_with_code(files, kind)) for kind in ("cuda", "rocm")}
    if accelerator is None:
        for kind, having in kinds.items():
            if having:
                text = f"contains {kind} device code, which the label does not mention"
                yield _finding("warning", text, having[0])
        return
    other = "rocm" if accelerator.kind == "cuda" else "cuda"
    if kinds[other]:
        text = f"contains {other} device code, but the wheel is labelled {accelerator}"
        yield _finding("warning", text, kinds[other][0])
    runtimes = [
        (file, name, match[1])
        for file in files
        for name in file.needed
        if (match := re.match(_RUNTIMES[accelerator.kind], name))
    ]
    if not kinds[accelerator.kind] and not runtimes:
        yield Finding(
            severity="error",
            rule="device-code",
            message=f"labelled {accelerator}, but no file contains {accelerator.kind} device "
            f"code or links its runtime",
        )
    for file, name, major in runtimes:
        if re.match(_NUMBERED_LIKE_THE_TOOLKIT, name) and int(major) != accelerator.version[0]:
            yield _finding("error", f"needs {name}, but the label says {accelerator}", file)


def _with_code(files: tuple[FileReport, ...], kind: str) -> Iterator[FileReport]:
    for file in files:
        if file.device is not None and (file.device.cuda if kind == "cuda" else file.device.rocm):
            yield file


def _finding(severity: Severity, text: str, file: FileReport) -> Finding:
    device = file.device
    return Finding(
        severity=severity,
        rule="device-code",
        message=f"{file.path} {text}",
        path=file.path,
        evidence=()
        if device is None
        else evidence_of("device", *map(str, device.cuda), *device.rocm),
    )
