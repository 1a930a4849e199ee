"""Run built GPU wheels on a machine with a GPU that has no toolkit, no index and maybe no NumPy.

    python3 tests/device/check_wheels.py DIRECTORY

Prints the detected driver and GPUs, then unpacks each wheel for this Python in DIRECTORY and
compares the result of its kernel with the CPU's. The exit code is 1 if a result is wrong or no
kernel ran.
"""

from __future__ import annotations

import importlib
import os
import sys
import tempfile
import zipfile
from pathlib import Path

REPO = Path(__file__).resolve().parents[2]


def show_probe() -> None:
    """Print the facts on this machine's accelerators."""
    sys.path.insert(0, str(REPO / "backend"))
    from variantbuild.host.local import LocalHost
    from variantbuild.probe.gpu import probe_accelerator

    host = LocalHost(env=os.environ)
    for kind in ("cuda", "rocm"):
        facts = probe_accelerator(host, "cuda" if kind == "cuda" else "rocm")
        print(f"{kind}: {facts.toolkit}\n      {facts.driver}\n      {facts.gpus}")


def check_setuptools_gpu() -> bool:
    """Run the kernel of tests/packages/setuptools-gpu."""
    module = importlib.import_module("setuptools_gpu")
    print(f"setuptools_gpu: {module.device_count()} GPUs")
    return bool(module.check())


def check_vecsearch() -> bool:
    """Run the example's own GPU tests, if pytest and NumPy are installed."""
    vecsearch = importlib.import_module("vecsearch")
    print(f"vecsearch: {vecsearch.gpu_count()} GPUs")
    pytest = importlib.import_module("pytest")
    tests = REPO / "example_project" / "tests" / "test_gpu.py"
    return vecsearch.gpu_count() > 0 and int(pytest.main(["-q", str(tests)])) == 0


def main() -> int:
    """Check every wheel of the directory that is named on the command line."""
    if len(sys.argv) != 2 or not Path(sys.argv[1]).is_dir():
        print(__doc__, file=sys.stderr)
        return 2
    show_probe()
    tag = f"-cp{sys.version_info[0]}{sys.version_info[1]}-"
    checks = {"setuptools_gpu": check_setuptools_gpu, "vecsearch": check_vecsearch}
    results = []
    for wheel in sorted(Path(sys.argv[1]).glob("*.whl")):
        name = wheel.name.partition("-")[0]
        if name not in checks or tag not in wheel.name:
            print(f"{wheel.name}: not for this Python, or nothing to check")
            continue
        directory = tempfile.mkdtemp()
        with zipfile.ZipFile(wheel) as archive:
            archive.extractall(directory)
        sys.path.insert(0, directory)
        try:
            right = checks[name]()
        except ModuleNotFoundError as error:
            print(f"{wheel.name}: skipped, {error}")
            continue
        print(f"{wheel.name}: {'right' if right else 'WRONG'}")
        results.append(right)
    return 0 if results and all(results) else 1


if __name__ == "__main__":
    raise SystemExit(main())
