"""What the oracle is told of a round: what was done, when, and what was found afterwards."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from torture.ledger import Event, History, Ledger, Listing, Logged
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
    # The time that it was for whoever changed it.
    now: datetime | None = None


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


@dataclass(frozen=True)
class Told:
    """What the portal took of a mentor: whether they are to be listed."""

    at: float
    key: str
    is_listed: bool


@dataclass(frozen=True)
class Look:
    """Whom the portal's page showed at a moment at which nothing was under way, and what `status` said."""

    at: float
    now: datetime
    page: frozenset[str]
    standing: dict


@dataclass(frozen=True)
class Portal:
    """What there is to know of a partner when all is over."""

    events: list[Event]
    listings: list[Listing]
    told: list[Told]
    # After each phase; the last but one when there was nothing left to be told, the last when the page had
    # been compared as well.
    looks: list[Look]


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
    # None: the organisation has no partner.
    portal: Portal | None = None

    def seen(self, certification: UUID, start: float, end: float) -> list[Version]:
        """The versions of a certification that somebody may have seen who looked between two moments."""
        known = self.histories[certification]
        following = [*known[1:], None]
        return [
            version
            for version, after in zip(known, following, strict=True)
            if version.sent <= end and (after is None or after.done >= start)
        ]
