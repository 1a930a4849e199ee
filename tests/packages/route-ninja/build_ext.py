"""Completes build.ninja, which names a compiler of its own, and runs ninja."""

import subprocess
import sysconfig
from pathlib import Path

suffix = sysconfig.get_config_var("EXT_SUFFIX")
include = sysconfig.get_paths()["include"]
Path("python.ninja").write_text(f"headers = {include}\nmodule = demo/_m{suffix}\n")
subprocess.run(["ninja"], check=True)
