"""A benchmark session: its server, databases, measurements and comparisons."""

import sys
import tempfile
import time
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from pathlib import Path
from zoneinfo import ZoneInfo

from bench.measure import Measurement, Samples, measure
from bench.peers import Peers
from bench.register import FAR_AHEAD, IN_A_STAGE, Register
from bench.results import Comparison, compare
from lab.certvakt import binary
from lab.postgres import Server


@dataclass(frozen=True)
class Sizes:
    certifications: int
    due: int
    cron: int
    imported: int
    # Certifications with histories for a page, and entries of histories to move.
    listed: int
    entries: int
    # Changes to send to a partner.
    told: int
    # The seconds for which pages are requested.
    seconds: int
    # Whether to measure the memory at ten times the size too.
    tenfold_memory: bool
    # Certifications imported between two runs of the same date.
    late: int = 100

    @property
    def tenfold(self) -> int:
        return 10 * self.certifications


FULL = Sizes(1_000_000, 100_000, 10_000, 1_000_000, 200_000, 1_000_000, 10_000, 10, tenfold_memory=True)
QUICK = Sizes(50_000, 5_000, 500, 20_000, 15_000, 20_000, 1_000, 1, tenfold_memory=False)


@dataclass
class Session(AbstractContextManager):
    server: Server
    sizes: Sizes
    rounds: int
    wanted: set[str]
    samples: Samples = field(default_factory=Samples)
    comparisons: list[Comparison] = field(default_factory=list)
    # A table below a comparison, in Markdown.
    details: dict[str, str] = field(default_factory=dict)

    def __enter__(self) -> "Session":
        self._folder = tempfile.TemporaryDirectory(prefix="certvakt-bench.")
        self.folder = Path(self._folder.name)
        self.began = time.monotonic()
        # One date for the whole session, even across midnight.
        self.today = datetime.now(ZoneInfo("Europe/Oslo")).date()
        return self

    def __exit__(self, *_) -> None:
        self._folder.cleanup()

    def wants(self, *ids: str) -> bool:
        return not self.wanted.isdisjoint(ids)

    def say(self, text: str) -> None:
        minutes, seconds = divmod(int(time.monotonic() - self.began), 60)
        print(f"{minutes:3}:{seconds:02}  {text}", file=sys.stderr, flush=True)

    def record(self, name: str, measured: Measurement, seconds: float | None = None) -> Measurement:
        """Stores a measurement under a name, and prints it."""
        taken = measured.seconds if seconds is None else seconds
        self.samples.seconds[name].append(taken)
        self.samples.peaks[name].append(measured.peak_mib)
        self.say(f"{name}: {taken:.3f} s")
        return measured

    def certvakt(self, name: str, register: Register, arguments: list) -> Measurement:
        """Measures a command of the binary, as a whole process."""
        environment = register.installation.environment()
        return self.record(name, measure([binary(), *arguments], environment))

    def each_round(self, what: str):
        for number in range(1, self.rounds + 1):
            self.say(f"-- {what}, round {number} of {self.rounds}")
            yield number

    @cached_property
    def peers(self) -> Peers:
        return Peers(self.server)

    @cached_property
    def due(self) -> Register:
        """The register in which a tenth of the certifications is in a stage."""
        self.say(
            f"generating {self.sizes.certifications:,} certifications, {self.sizes.due:,} inside a stage"
        )
        register = Register(self.server, "due", self.today)
        register.fill(self.sizes.certifications, self.sizes.due, IN_A_STAGE, FAR_AHEAD)
        return register

    @cached_property
    def tenfold(self) -> Register:
        """A register for ten times as many certifications, which the scenarios fill."""
        return Register(self.server, "tenfold", self.today)

    def times(self, id_: str, what: str, ours: str, against: str, goal: str | None = None) -> None:
        """Compares the times of two names."""
        seconds = self.samples.seconds
        self.comparisons.append(compare((id_, what, against), "s", seconds[ours], seconds[against], goal))

    def rates(self, id_: str, what: str, ours: tuple, other: tuple, goal: str | None = None) -> None:
        """Compares the rates of two names, each given with its number per round."""
        (mine, my_number), (theirs, their_number) = ours, other
        my_rates = [my_number / seconds for seconds in self.samples.seconds[mine]]
        their_rates = [their_number / seconds for seconds in self.samples.seconds[theirs]]
        self.comparisons.append(compare((id_, what, theirs), "1/s", my_rates, their_rates, goal))
