"""What the oracle is told of a round: what was done, when, and what was found afterwards."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from torture.ledger import History, Ledger, Logged
from torture.world import Mentor, State

# Seconds of a lease, and of the wait for a provider's answer.
LEASE, TIMEOUT = 2, 1


@dataclass
class Version:
    """A state of a certification. Others may see it from `sent` on, and do from `done` on."""

    state: State | None
    sent: float
    done: float
    opens_cycle: bool = False


@dataclass
class Life:
    """When a program ran, which time it was told, and how it ended."""

    kind: str
    now: datetime
    start: float
    end: float = float("inf")
    status: int | None = None
    # Whether a fault was there, or it was asked to end: then its status says nothing.
    disturbed: bool = False

    def told(self, at: float) -> datetime:
        """The time that the program believed it was."""
        return self.now + timedelta(seconds=at - self.start)


@dataclass(frozen=True)
class Violation:
    name: str
    facts: str


@dataclass(frozen=True)
class Window:
    """A fault, and from when to when it lasted."""

    kind: str
    start: float
    end: float


@dataclass(frozen=True)
class Message:
    """A message that the provider accepted."""

    at: float
    number: int
    behaviour: str
    device: str
    certification: UUID
    stage: str
    collapse_ids: frozenset[str]


@dataclass
class Facts:
    """A round, when all is over."""

    zone: ZoneInfo
    end: datetime
    histories: dict[UUID, list[Version]]
    mentors: dict[UUID, Mentor]
    ledger: Ledger
    # The log as it was after each phase.
    logs: list[list[Logged]]
    # Where the entries of histories stood after each phase, and at the end.
    kept: list[list[History]]
    # What a reader saw of each history, one answer after the other, as the text of a JSON array.
    reads: dict[UUID, list[str]]
    messages: list[Message]
    lives: list[Life]
    windows: list[Window]
    # Whether a run records in parts: then one that fails may leave a part, which is whole in itself.
    in_parts: bool
    # What was waited for in vain.
    overdue: list[str] = field(default_factory=list)
