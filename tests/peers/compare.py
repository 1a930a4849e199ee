"""Run the test suites of other projects with and without variantbuild, and compare the results.

`PYTHONPATH=tests python -m peers.compare [SUITE …]` fetches the sdists of `suites.py` from the
package index with pip, installs them into a virtual environment, and runs each suite twice. Tests
whose result changes have to be in `differences.json`, with the reason, and those that are there
have to change.
Exit code 1 if not. `--work DIR` keeps sdists, environment and results; `--cpu v3` builds for
another CPU than `none`.
"""

from __future__ import annotations

import argparse
import fnmatch
import json
import os
import re
import subprocess
import sys
import tempfile
import venv
import xml.etree.ElementTree as ET
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from peers.suites import SUITES, UNNAMED, Suite, find_suite, unpacked

REPO = Path(__file__).resolve().parents[2]
DIFFERENCES = Path(__file__).with_name("differences.json")
#: What variantbuild itself needs, and every suite.
_REQUIRES = ("archspec>=0.2.5", "packaging>=23.2", "pip", "pytest>=8,!=9.1.0", "pytest-xdist>=3")

Outcomes = Mapping[str, str]


def prepare(suites: Sequence[Suite], work: Path) -> Path:
    """Fetch and install the distributions of `suites`; return the Python that has them."""
    python = work / "env" / "bin" / "python"
    if not python.exists():
        venv.create(work / "env", with_pip=True)
    for suite in suites:
        fetch(suite, work)
    # From the sdists: the tests and what they test are of one version.
    sources = [str(sdist_of(suite, work)) for suite in suites]
    needs = [requirement for suite in suites for requirement in suite.requires]
    pip(python, "install", *sources)
    pip(python, "install", *_REQUIRES, *needs)
    # Not installed, so that the tree is tested as it is; tests set PYTHONPATH themselves.
    site = next((work / "env" / "lib").glob("python*/site-packages"))
    (site / "variantbuild.pth").write_text(f"{REPO / 'backend'}\n", "utf-8")
    # Isolated environments of `build` do not have the environment's packages.
    pip(python, "install", "--upgrade", "--target", str(work / "isolated"), *_REQUIRES[:2])
    return python


def fetch(suite: Suite, work: Path) -> None:
    """Download and unpack the sdist of `suite`."""
    if not sdist_of(suite, work).exists():
        words = ("--no-deps", "--no-binary", suite.name, "--dest", str(work))
        pip(Path(sys.executable), "download", *words, f"{suite.name}=={suite.version}")
    subprocess.run(["tar", "-xzf", sdist_of(suite, work), "-C", work], check=True)


def sdist_of(suite: Suite, work: Path) -> Path:
    """Return where the sdist of `suite` is kept."""
    return work / f"{suite.directory}.tar.gz"


def pip(python: Path, command: str, *words: str) -> None:
    """Run a pip command, and show its output if it fails."""
    argv = [str(python), "-m", "pip", command, "--quiet", "--disable-pip-version-check", *words]
    subprocess.run(argv, check=True)


def run(suite: Suite, python: Path, work: Path, cpu: str | None) -> Outcomes:
    """Run `suite` in a fresh copy of its sdist, through ours if there is a `cpu`."""
    kind = "plain" if cpu is None else f"through-{cpu}"
    fetch(suite, work)
    report = work / f"{suite.name}-{kind}.xml"
    report.unlink(missing_ok=True)
    env = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    env["PATH"] = os.pathsep.join((str(python.parent), env["PATH"]))
    env["PYTHONPATH"] = str(Path(__file__).parent)
    if cpu is not None:
        env |= UNNAMED | {"VARIANTBUILD_CPU": cpu, "_PEER_BACKENDS": " ".join(suite.backends)}
    if suite.name == "build":
        env["PYTHONPATH"] += os.pathsep + str(work / "isolated")
        env["PYTHONPATH"] += os.pathsep + str(REPO / "backend")
    options = ["-q", "-p", "interposed", "-p", "no:cacheprovider", "--tb=short"]
    argv = [str(python), "-m", "pytest", *options, f"--junit-xml={report}", *suite.paths]
    with (work / f"{suite.name}-{kind}.log").open("w", encoding="utf-8") as log:
        subprocess.run(
            argv, cwd=unpacked(suite, work), env=env, stdout=log, stderr=log, check=False
        )
    if not report.exists():
        raise SystemExit(f"{suite.name}: pytest did not run, see {log.name}")
    return dict(read_outcomes(report.read_text("utf-8")))


def read_outcomes(report: str) -> Iterator[tuple[str, str]]:
    """Yield each test of a JUnit report and its outcome; of a repeated test the worst one."""
    found: dict[str, str] = {}
    for case in ET.fromstring(report).iter("testcase"):
        name = f"{case.get('classname', '')}::{case.get('name', '')}"
        # Paths and other accidents of one run in the names of parameters.
        name = re.sub(r"/tmp/\S+|0x[0-9a-f]+", "…", name)
        outcome = next((e.tag for e in case if e.tag in ("failure", "error", "skipped")), "passed")
        ranks = ("passed", "skipped", "failure", "error")
        found[name] = max(outcome, found.get(name, "passed"), key=ranks.index)
    yield from found.items()


def changed(plain: Outcomes, through: Outcomes) -> list[str]:
    """Return the tests that have another outcome with ours in between, or are missing."""
    return sorted(name for name in plain if through.get(name) != plain[name])


def judge(names: Sequence[str], known: Mapping[str, str]) -> tuple[list[str], list[str]]:
    """Return the tests that no pattern in `known` names, and the patterns that name no test."""
    unknown = [n for n in names if not any(fnmatch.fnmatchcase(n, p) for p in known)]
    unused = [p for p in known if not any(fnmatch.fnmatchcase(n, p) for n in names)]
    return unknown, unused


def read_differences() -> dict[str, dict[str, str]]:
    """Return for each suite the patterns of tests that change by design, each with the reason."""
    found: dict[str, dict[str, str]] = json.loads(DIFFERENCES.read_text("utf-8"))
    return found


def compare(suite: Suite, python: Path, work: Path, cpu: str) -> bool:
    """Run `suite` twice and print what differs; return whether all of that is known."""
    plain = run(suite, python, work, None)
    through = run(suite, python, work, cpu)
    names = changed(plain, through)
    unknown, unused = judge(names, read_differences()[suite.name])
    before, after = Counter(plain.values()), Counter(through.values())
    print(f"{suite.name} {suite.version}: plain {dict(before)}, through {dict(after)}")
    for name in unknown:
        print(f"  differs: {name}: {plain[name]}, then {through.get(name, 'missing')}")
    for pattern in unused:
        print(f"  no longer differs: {pattern}")
    return not unknown and not unused


def main() -> int:
    """Run the command; return its exit code."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("suites", nargs="*", metavar="SUITE", help="default: all")
    parser.add_argument("--work", type=Path, help="directory that is kept; default: temporary")
    parser.add_argument("--cpu", default="none", help="the CPU to build for (default: none)")
    args = parser.parse_args()
    suites = [find_suite(name) for name in args.suites] or list(SUITES)
    with tempfile.TemporaryDirectory() as temporary:
        work: Path = (args.work or Path(temporary)).resolve()
        work.mkdir(parents=True, exist_ok=True)
        python = prepare(suites, work)
        known = [compare(suite, python, work, args.cpu) for suite in suites]
    return 0 if all(known) else 1


if __name__ == "__main__":
    raise SystemExit(main())
