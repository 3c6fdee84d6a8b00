"""The contents of certvakt's tables. This module has all statements that read them."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

import psycopg
from psycopg.rows import class_row


@dataclass(frozen=True)
class Logged:
    """A row of the log."""

    certification: UUID
    stage: str
    recorded: datetime
    recipient: UUID
    key: str


@dataclass(frozen=True)
class Delivery:
    """A delivery, with its notice."""

    id: int
    certification: UUID
    stage: str
    key: str
    due: date
    expires_at: datetime
    state: str
    reason: str | None
    attempt: int
    recorded: datetime
    finished_at: datetime | None


@dataclass(frozen=True)
class Attempt:
    delivery: int
    attempt: int
    outcome: str
    detail: str | None
    finished_at: datetime


@dataclass(frozen=True)
class Run:
    run_date: date
    state: str
    started_at: datetime
    finished_at: datetime


@dataclass(frozen=True)
class Status:
    certification: UUID
    status: str


@dataclass(frozen=True)
class History:
    """The storage of a certification's history."""

    certification: UUID
    # The certification's own entries, and the result for a reader.
    own: list[dict]
    read: list[dict]
    numbers: list[int]
    rows: list[dict]


@dataclass(frozen=True)
class Event:
    """A change of a mentor's state at the partner."""

    key: str
    number: int
    status: str
    cause: str
    # The time of the event, from its id.
    written: float


@dataclass(frozen=True)
class Listing:
    """An enrolled mentor."""

    key: str
    is_listed: bool
    number: int
    accepted_number: int
    confirmed_number: int
    is_leased: bool
    is_in_doubt: bool


@dataclass(frozen=True)
class Ledger:
    """All tables at one time."""

    log: list[Logged]
    deliveries: list[Delivery]
    attempts: list[Attempt]
    runs: list[Run]
    statuses: list[Status]


QUERIES = {
    "log": (
        Logged,
        """select certification_id as certification, notification_type as stage, sent_at as recorded,
             recipient_id as recipient, idempotency_key as key
           from public.cert_notification_log""",
    ),
    "deliveries": (
        Delivery,
        """select d.id, l.certification_id as certification, l.notification_type as stage,
             l.idempotency_key as key, d.due_date as due, d.expires_at, d.state, d.reason, d.attempt,
             l.sent_at as recorded, d.finished_at
           from certvakt.deliveries d join public.cert_notification_log l on l.id = d.id""",
    ),
    "attempts": (
        Attempt,
        """select delivery_id as delivery, attempt, outcome, detail, finished_at
           from certvakt.delivery_attempts order by attempt""",
    ),
    "runs": (Run, "select run_date, state, started_at, finished_at from certvakt.runs order by finished_at"),
    "statuses": (Status, "select id as certification, status from public.peer_mentor_certifications"),
}


def read(connection: psycopg.Connection) -> Ledger:
    """Reads the whole ledger in one snapshot."""
    with connection.transaction():
        connection.execute("set transaction isolation level repeatable read, read only")
        rows = {}
        for name, (kind, query) in QUERIES.items():
            with connection.cursor(row_factory=class_row(kind)) as cursor:
                rows[name] = cursor.execute(query).fetchall()
    return Ledger(**rows)


def events(connection: psycopg.Connection) -> list[Event]:
    """All events of the partner, in each mentor's order."""
    with connection.cursor(row_factory=class_row(Event)) as cursor:
        return cursor.execute(
            """select partner_key as key, number, status, cause,
                 ('x' || translate(left(id::text, 13), '-', ''))::bit(48)::bigint / 1000.0::float8 as written
               from certvakt.partner_events order by partner_key, number"""
        ).fetchall()


def listings(connection: psycopg.Connection) -> list[Listing]:
    """The state of each mentor of the partner."""
    with connection.cursor(row_factory=class_row(Listing)) as cursor:
        return cursor.execute(
            """select partner_key as key, is_listed, number, accepted_number, confirmed_number,
                 lease_token is not null as is_leased, is_in_doubt
               from certvakt.listings"""
        ).fetchall()


def is_to_be_told(connection: psycopg.Connection) -> bool:
    """Whether a change is still to be sent to the partner."""
    return connection.execute(
        "select exists (select from certvakt.listings where accepted_number < number)"
    ).fetchone()[0]


def skip_partner_waits(connection: psycopg.Connection, cache_seconds: int) -> None:
    """Skips the time of leases, pauses and the portal's page cache. As with the delays of deliveries, this
    changes times only."""
    connection.execute(
        """update certvakt.listings
           set available_at = least(available_at, now()),
             lease_until = case when lease_until > now() then now() else lease_until end,
             accepted_at = accepted_at - make_interval(secs => %(cache)s),
             requested_at = requested_at - make_interval(secs => %(cache)s)""",
        {"cache": cache_seconds},
    )
    connection.execute(
        """update certvakt.partners
           set retry_at = case when retry_at > now() then now() else retry_at end,
             read_tried_at = read_tried_at - interval '1 hour'"""
    )


def log(connection: psycopg.Connection) -> list[Logged]:
    """The log alone."""
    kind, query = QUERIES["log"]
    with connection.cursor(row_factory=class_row(kind)) as cursor:
        return cursor.execute(query).fetchall()


def histories(connection: psycopg.Connection) -> list[History]:
    """All histories."""
    with connection.cursor(row_factory=class_row(History)) as cursor:
        return cursor.execute(
            """select c.id as certification, c.renewal_history as own,
                 certvakt.entries_of(c.id, c.renewal_history) as read,
                 array_remove(array_agg(e.number order by e.number), null) as numbers,
                 coalesce(jsonb_agg(e.entry order by e.number) filter (where e.number > 0), '[]') as rows
               from public.peer_mentor_certifications c
               left join certvakt.certification_renewal_events e on e.certification_id = c.id
               group by c.id having c.renewal_history <> '[]' or count(e) > 0"""
        ).fetchall()


def moved(connection: psycopg.Connection) -> float:
    """The share of histories that are rows; without histories, 1."""
    return connection.execute(
        """select coalesce(avg((c.id in (
             select e.certification_id from certvakt.certification_renewal_events e))::int), 1)::float8
           from public.peer_mentor_certifications c where c.renewal_history <> '[]'"""
    ).fetchone()[0]


def reads(connection: psycopg.Connection) -> list[tuple[UUID, str]]:
    """The result of a read of each certification's history."""
    return connection.execute(
        """select id, certvakt.entries_of(id, renewal_history)::text
           from public.peer_mentor_certifications where renewal_history <> '[]'"""
    ).fetchall()


def last_complete(connection: psycopg.Connection) -> date | None:
    """The date of the last complete run."""
    return connection.execute("select max(run_date) from certvakt.runs where state = 'complete'").fetchone()[
        0
    ]


def backends(connection: psycopg.Connection) -> list[int]:
    """The server's processes that work for certvakt in this database."""
    return [
        pid
        for (pid,) in connection.execute(
            """select pid from pg_stat_activity
               where application_name = 'certvakt' and datname = current_database()"""
        )
    ]


def wait_until_quiet(connection: psycopg.Connection, seconds: float = 20) -> None:
    """Waits until the server has noticed that the programs are gone, so that statements of dead programs
    are committed or rolled back."""
    end = time.monotonic() + seconds
    while backends(connection):
        if time.monotonic() > end:
            raise TimeoutError("the server still works for programs that are gone")
        time.sleep(0.01)


def lease_left(connection: psycopg.Connection) -> float:
    """Seconds until the last lease expires."""
    return connection.execute(
        """select coalesce(extract(epoch from max(lease_until) - clock_timestamp()), 0)::float8
           from certvakt.deliveries where state = 'claimed'"""
    ).fetchone()[0]


def is_waiting(connection: psycopg.Connection) -> bool:
    """Whether a delivery is still open."""
    return connection.execute(
        "select exists (select from certvakt.deliveries where state in ('pending', 'claimed'))"
    ).fetchone()[0]


def skip_waits(connection: psycopg.Connection) -> None:
    """Makes deliveries that wait for another attempt due now. This changes times only: the delays between
    attempts are real minutes, and nothing else is left in the round."""
    connection.execute("update certvakt.deliveries set available_at = now() where state = 'pending'")
