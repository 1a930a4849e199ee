"""Ask the kernel about this process."""

import os

import psutil

me = psutil.Process()
assert me.pid == os.getpid()
assert me.memory_info().rss > 1_000_000
assert psutil.disk_partitions(all=True)
