"""Measures commands as whole processes, and stores the samples."""

import shutil
import subprocess
import sys
import tempfile
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path

STOPWATCH = Path(__file__).with_name("stopwatch.py")


class Wrong(RuntimeError):
    """A command failed or a count is wrong, so there is no valid measurement."""


def expect(what: str, found: object, expected: object) -> None:
    """Checks a count, because only a correct result has a valid time."""
    if found != expected:
        raise Wrong(f"{what}: {found}, expected {expected}")


@dataclass(frozen=True)
class Measurement:
    seconds: float
    peak_mib: float
    output: str


def measure(command: list, environment: dict | None = None) -> Measurement:
    """Runs a command, which must succeed, and measures it from start to end."""
    program, *arguments = map(str, command)
    found = shutil.which(program)
    if found is None:
        raise Wrong(f"there is no program {program}")
    with tempfile.NamedTemporaryFile("r") as result:
        done = subprocess.run(
            [sys.executable, "-S", "-E", STOPWATCH, result.name, found, *arguments],
            check=False,
            capture_output=True,
            text=True,
            env=environment,
        )
        if done.returncode != 0:
            shown = " ".join([program, *arguments])
            raise Wrong(f"{shown} ended with {done.returncode}:\n{done.stdout[-2000:]}{done.stderr[-4000:]}")
        seconds, peak_kib = result.read().split()
    return Measurement(float(seconds), int(peak_kib) / 1024, done.stdout)


@dataclass
class Samples:
    """All measurements, by name."""

    seconds: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    peaks: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
