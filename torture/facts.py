"""The facts of a round for the oracle: the actions with their times, and the state afterwards."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from torture.ledger import Event, History, Ledger, Listing, Logged
from torture.world import Mentor, State

# Seconds of a lease, and of the time limit of a provider's response.
LEASE, TIMEOUT = 2, 1


@dataclass
class Version:
    """A state of a certification, which others may see from `sent` on, and do see from `done` on."""

    state: State | None
    sent: float
    done: float
    opens_cycle: bool = False
    # The time of the program that changed it.
    now: datetime | None = None


@dataclass
class Life:
    """The life of a program: its start and end, its moved time, and its exit status."""

    kind: str
    now: datetime
    start: float
    end: float = float("inf")
    status: int | None = None
    # Whether a fault hit it or it got SIGTERM, so that its status means nothing.
    disturbed: bool = False

    def told(self, at: float) -> datetime:
        """The program's moved time."""
        return self.now + timedelta(seconds=at - self.start)


@dataclass(frozen=True)
class Violation:
    name: str
    facts: str


@dataclass(frozen=True)
class Window:
    """A fault, with its start and end."""

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
    """A state of a mentor that the portal accepted."""

    at: float
    key: str
    is_listed: bool


@dataclass(frozen=True)
class Look:
    """The portal's page and the output of `status` at a time without requests in progress."""

    at: float
    now: datetime
    page: frozenset[str]
    standing: dict


@dataclass(frozen=True)
class Portal:
    """The facts about a partner at the end."""

    events: list[Event]
    listings: list[Listing]
    told: list[Told]
    # After each phase; the last but one when nothing was left to send, and the last when the page had been
    # compared as well.
    looks: list[Look]


@dataclass
class Facts:
    """The facts about a round at the end."""

    zone: ZoneInfo
    end: datetime
    histories: dict[UUID, list[Version]]
    mentors: dict[UUID, Mentor]
    ledger: Ledger
    # The log after each phase.
    logs: list[list[Logged]]
    # The storage of the entries of histories after each phase, and at the end.
    kept: list[list[History]]
    # The results of a reader for each history, in order, as the text of a JSON array.
    reads: dict[UUID, list[str]]
    messages: list[Message]
    lives: list[Life]
    windows: list[Window]
    # Whether a run records in parts, so that a failed run can leave one complete part.
    in_parts: bool
    # The waits that timed out.
    overdue: list[str] = field(default_factory=list)
    # None: the organisation has no partner.
    portal: Portal | None = None

    def seen(self, certification: UUID, start: float, end: float) -> list[Version]:
        """The versions of a certification that a reader may have seen between two times."""
        known = self.histories[certification]
        following = [*known[1:], None]
        return [
            version
            for version, after in zip(known, following, strict=True)
            if version.sent <= end and (after is None or after.done >= start)
        ]
