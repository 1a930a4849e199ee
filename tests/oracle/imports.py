"""Compare verdicts on real wheels with an emulator: `imports.py [--download] DIRECTORY`.

Each wheel named in wheels.json is installed with what it requires into a fresh environment, its
module is imported and exercised by the running Python under `qemu-x86_64 -cpu Nehalem` (v2) and
`-cpu Haswell` (v3), and the verdict of the audit on that level is compared with how the process
ended. Disagreements that docs/audit.md explains are listed in wheels.json; after any other the exit
code is 1. With `--download` pip downloads missing wheels into DIRECTORY; otherwise nothing is
downloaded.

Source: qemu-user's CPU models; qemu 7.2 has no AVX-512, so v4 is not emulated.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from variantbuild.audit import audit_wheel, judge_fit
from variantbuild.audit.report import Verdict
from variantbuild.variant import Variant

_PROCESSORS = {"v2": "Nehalem", "v3": "Haswell"}
_SECONDS = 300
_WORDS: dict[Verdict, str] = {"runs": "runs", "needs": "needs more", "unclear": "cannot tell"}
#: The worst last.
_ORDER: tuple[Verdict, ...] = ("runs", "unclear", "needs")


@dataclass(frozen=True, kw_only=True, slots=True)
class Subject:
    """A project: the code that exercises it, its environment, and levels known to disagree."""

    name: str
    code: str
    environment: dict[str, str] = field(default_factory=dict)
    explained: tuple[str, ...] = ()


def main(argv: Sequence[str] | None = None) -> int:
    """Run on `argv` and return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("directory", type=Path, help="where the wheels lie")
    parser.add_argument("--download", action="store_true", help="fetch the wheels with pip")
    parser.add_argument("--only", nargs="*", help="names of projects")
    args = parser.parse_args(argv)
    if shutil.which("qemu-x86_64") is None:
        sys.exit("qemu-x86_64 is not installed (Debian: qemu-user)")
    disagreed = 0
    print("| project | level | audit | emulator | |\n|---|---|---|---|---|")
    for subject in _subjects():
        if args.only and subject.name not in args.only:
            continue
        for level, verdict, runs in _compare(subject, args.directory, download=args.download):
            word = "agree" if (verdict == "runs") == runs else "DISAGREE"
            if verdict == "unclear":
                word = "open"
            elif word == "DISAGREE" and level in subject.explained:
                word = "explained"
            disagreed += word == "DISAGREE"
            seen = "runs" if runs else "dies"
            shown = _WORDS[verdict]
            print(f"| {subject.name} | {level} | {shown} | {seen} | {word} |", flush=True)
    return 1 if disagreed else 0


def _subjects() -> Iterator[Subject]:
    rows = json.loads(Path(__file__).with_name("wheels.json").read_text(encoding="utf-8"))
    for row in rows:
        yield Subject(
            name=row["name"],
            code=row["code"],
            environment=row.get("environment", {}),
            explained=tuple(row.get("explained", ())),
        )


def _compare(
    subject: Subject, directory: Path, *, download: bool
) -> Iterator[tuple[str, Verdict, bool]]:
    """Yield (level, the verdict of the audit, whether it ran)."""
    with tempfile.TemporaryDirectory() as text:
        target = Path(text)
        sources = [] if download else ["--no-index"]
        if download:
            _pip("download", "--quiet", "--dest", str(directory), subject.name)
        _pip(
            "install", "--quiet", *sources, "--find-links", str(directory),
            "--target", str(target), subject.name,
        )  # fmt: skip
        wheels = _wheels_of(target, directory)
        for level, processor in _PROCESSORS.items():
            variant = Variant(arch="x86_64", cpu=level)
            found = [judge_fit(audit_wheel(each), variant).verdict for each in wheels]
            yield (
                level,
                max(found, key=_ORDER.index, default="runs"),
                _runs(subject, target, processor),
            )


def _wheels_of(target: Path, directory: Path) -> list[Path]:
    """Return the wheels in `directory` of the distributions that were installed in `target`."""
    found = []
    for each in target.glob("*.dist-info"):
        stem = each.name.removesuffix(".dist-info")
        found += sorted(directory.glob(f"{stem}-*.whl"))[:1]
    return found


def _pip(*words: str) -> None:
    subprocess.run(
        [sys.executable, "-m", "pip", "--disable-pip-version-check", *words, "--only-binary=:all:"],
        check=True,
    )


def _runs(subject: Subject, target: Path, processor: str) -> bool:
    command = ["qemu-x86_64", "-cpu", processor, sys.executable, "-c", subject.code]
    environment = {**os.environ, "PYTHONPATH": str(target), **subject.environment}
    done = subprocess.run(
        command, env=environment, capture_output=True, check=False, timeout=_SECONDS
    )
    return done.returncode == 0


if __name__ == "__main__":
    sys.exit(main())
