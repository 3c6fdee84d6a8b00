"""Runs one command, and writes its duration and its peak memory.

A separate program, because a child's peak memory includes that of the process that started it: this program
is small, the benchmark is not. It is started with -S -E, so that it imports almost nothing.

    python -S -E bench/stopwatch.py RESULT PROGRAM [ARGUMENT…]
"""

import os
import sys
import time

result, *command = sys.argv[1:]
began = time.monotonic()
child = os.posix_spawn(command[0], command, os.environ)
_, status, usage = os.wait4(child, 0)
seconds = time.monotonic() - began
with open(result, "w", encoding="ascii") as file:  # noqa: PTH123 - pathlib would be the largest import
    file.write(f"{seconds} {usage.ru_maxrss}")
sys.exit(os.waitstatus_to_exitcode(status) & 0xFF)
