"""Runs make, whose Makefile has flags and a compiler of its own."""

import subprocess
import sysconfig

suffix = sysconfig.get_config_var("EXT_SUFFIX")
include = sysconfig.get_paths()["include"]
subprocess.run(["make", f"MODULE=demo/_m{suffix}", f"INCLUDE={include}"], check=True)
