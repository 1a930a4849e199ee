"""Pack values in Watchman's binary form, and run one of the package's scripts."""

import subprocess
import sys
from pathlib import Path

import pywatchman.bser as bser

value = {"name": "ü", "numbers": list(range(1000)), "nested": [{"x": 1.5, "y": None}] * 100}
packed = bser.dumps(value)
assert bser.loads(packed, value_encoding="utf-8") == value
script = Path(sys.prefix, "bin", "watchman-make")
help_text = subprocess.check_output([sys.executable, script, "--help"], text=True)
assert "watchman-make" in help_text


def loop() -> None:
    bser.loads(bser.dumps(value))
