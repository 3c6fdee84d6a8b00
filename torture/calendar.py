"""The calendar and the stages, implemented independently of certvakt."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

# The stages in the order of their due dates, with the days from the due date to the last valid day.
STAGES = {"expiry_warning_90d": 90, "expiry_warning_30d": 30, "expiry_warning_7d": 7, "expired": -1}
# The number of days for which `expired` stays current.
GRACE = 30
# A correction repeats a stage if its due date moved later by this many days.
TOLD_AGAIN = 30
RUN_AT = time(2)
OPEN_FROM, OPEN_UNTIL = time(9), time(20)


@dataclass(frozen=True)
class Notice:
    """A notice that must be recorded once."""

    certification: UUID
    stage: str
    due: date

    @property
    def key(self) -> str:
        return hashlib.sha256(f"{self.certification}|{self.stage}|{self.due:%Y-%m-%d}".encode()).hexdigest()


def current(certification: UUID, expires_at: datetime | None, on: date, zone: ZoneInfo) -> Notice | None:
    """The notice of a certification's stage on a day."""
    if expires_at is None:
        return None
    last = expires_at.astimezone(zone).date()
    begun = [(last - timedelta(days=days), stage) for stage, days in STAGES.items()]
    begun = [(due, stage) for due, stage in begun if due <= on]
    if not begun:
        return None
    due, stage = begun[-1]
    if stage == "expired" and on >= due + timedelta(days=GRACE):
        return None
    return Notice(certification, stage, due)


def local(day: date, at: time, zone: ZoneInfo) -> datetime:
    """The instant of a local time: the first of a repeated time, and the next valid one of a skipped
    time."""
    wanted = datetime.combine(day, at)
    while True:
        instant = wanted.replace(tzinfo=zone).astimezone(UTC)
        if instant.astimezone(zone).replace(tzinfo=None) == wanted:
            return instant
        wanted += timedelta(minutes=1)


def scheduled(now: datetime, zone: ZoneInfo) -> date:
    """The date of the latest run whose hour has come."""
    day = now.astimezone(zone).date()
    return day if local(day, RUN_AT, zone) <= now else day - timedelta(days=1)
