"""Plays rounds on several lanes, until all are played, the time is up or a violation was found."""

from __future__ import annotations

import queue
import threading
import time
import traceback
from collections import Counter
from collections.abc import Callable
from concurrent import futures
from dataclasses import dataclass, field
from datetime import UTC, datetime

from torture import world
from torture.facts import Violation
from torture.oracle import Oracle
from torture.round import Lane


@dataclass
class Campaign:
    """Rounds of a seed. One of the violations in `wanted` ends it; without `wanted`, the first violation
    does, unless `keep_going` is set."""

    seed: str
    rounds: list[int]
    seconds: float = float("inf")
    say: Callable[[str], None] = print
    is_plain: bool = False
    keeps_going: bool = False
    wanted: frozenset[str] = frozenset()
    played: int = 0
    repeats: int = 0
    injected: Counter[str] = field(default_factory=Counter)
    ended: Counter[str] = field(default_factory=Counter)
    found: dict[int, list[Violation]] = field(default_factory=dict)
    disks: set[str] = field(default_factory=set)

    def go(self, lanes: int) -> None:
        self._started = time.monotonic()
        self._lock = threading.Lock()
        self._waiting: queue.SimpleQueue[int] = queue.SimpleQueue()
        for number in self.rounds:
            self._waiting.put(number)
        with futures.ThreadPoolExecutor(min(lanes, len(self.rounds))) as pool:
            playing = [pool.submit(self._keep) for _ in range(min(lanes, len(self.rounds)))]
            try:
                futures.wait(playing)
            except KeyboardInterrupt:
                # The current rounds end, with their servers.
                self.seconds = 0
                raise

    @property
    def names(self) -> Counter[str]:
        """The number of violations by name."""
        return Counter(violation.name for violations in self.found.values() for violation in violations)

    def _is_over(self) -> bool:
        if time.monotonic() - self._started > self.seconds:
            return True
        names = self.names
        if names["round_broke"] or names["lane_broke"]:
            return True
        if self.wanted:
            return not self.wanted.isdisjoint(names)
        return bool(self.found) and not self.keeps_going

    def _keep(self) -> None:
        """Plays rounds on a lane, and replaces the lane after a round that broke it."""
        while not self._is_over() and not self._waiting.empty():
            try:
                self._lane()
            except Exception:  # noqa: BLE001 - whatever it is, it is reported, and the status tells of it.
                with self._lock:
                    self.found.setdefault(0, []).append(Violation("lane_broke", traceback.format_exc()))
                    self.say(traceback.format_exc())
                return

    def _lane(self) -> None:
        with Lane() as lane:
            self.disks.add(lane.disk.way)
            while not self._is_over():
                try:
                    number = self._waiting.get_nowait()
                except queue.Empty:
                    break
                if not self._round(lane, number):
                    break
            with self._lock:
                self.injected += lane.injected
                self.ended += lane.ended

    def _round(self, lane: Lane, number: int) -> bool:
        """Plays and checks a round. Returns whether the lane can be reused."""
        plan = world.plain(self.seed, datetime.now(UTC)) if self.is_plain else world.draw(self.seed, number)
        try:
            oracle = Oracle(lane.play(plan, number))
            violations, repeats, is_whole = oracle.judge(), oracle.repeats, True
        except Exception:  # noqa: BLE001 - what breaks a round is a violation of it.
            violations, repeats, is_whole = [Violation("round_broke", traceback.format_exc())], 0, False
        with self._lock:
            self.played += 1
            self.repeats += repeats
            if violations:
                self.found[number] = violations
                self.say(self._report(number, violations, lane))
            if self.played % 20 == 0:
                took = (time.monotonic() - self._started) / self.played
                self.say(f"{self.played} of {len(self.rounds)} rounds, {took:.1f} s a round")
        return is_whole

    def _report(self, number: int, violations: list[Violation], lane: Lane) -> str:
        lines = [f"round {number} of the seed {self.seed}:"]
        lines += [f"  {violation.name}: {violation.facts}" for violation in violations[:20]]
        lines += [f"  and {len(violations) - 20} more"] if len(violations) > 20 else []
        lines += [
            f"  output of the programs and the server: {lane.keep(number)}",
            f"  repeat it: python -m torture --seed {self.seed} --only-round {number}",
        ]
        return "\n".join(lines)

    def summary(self) -> str:
        """The numbers of faults, and the final line."""
        lines = [f"{'fault':<18} injected   ended a program"]
        for kind, times in sorted(self.injected.items()):
            lines.append(f"{kind:<18} {times:>8}   {self.ended[kind]:>15}")
        if self.injected["full_disk"]:
            lines.append(f"the full disk: {' and '.join(sorted(self.disks))}")
        names = self.names
        others = sorted(names.keys() - {"lost", "recorded_twice", "repeat_outside_window"})
        outside = names["repeat_outside_window"]
        repeats = f"{self.repeats} repeats ({f'{outside} outside' if outside else 'all in'} fault windows)"
        parts = [
            f"torture: {self.played} rounds",
            f"{names['lost']} lost",
            f"{names['recorded_twice']} recorded twice",
        ]
        parts += [repeats, *(f"{names[name]} {name}" for name in others), f"seed {self.seed}"]
        return "\n".join([*lines, ", ".join(parts)])
