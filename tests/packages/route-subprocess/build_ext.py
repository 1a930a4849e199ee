"""Runs setuptools in another process, and compiles in place."""

import subprocess
import sys

subprocess.run([sys.executable, "ext_setup.py", "build_ext", "--inplace"], check=True)
