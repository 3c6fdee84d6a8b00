"""Runs one command and writes how long it took and how much memory it needed at most.

A program of its own, because a child's peak memory counts that of the process which started it: this
one is small, the benchmark is not. Started with -S -E, so it imports next to nothing.

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
