"""Let it run a command and pass the exit code on."""

import subprocess
import sys
from pathlib import Path

program = Path(sys.prefix, "bin", "dumb-init")
done = subprocess.run([program, "sh", "-c", "echo run; exit 7"], capture_output=True, check=False)
assert (done.returncode, done.stdout) == (7, b"run\n")
