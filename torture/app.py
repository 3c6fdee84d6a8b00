"""The app that writes to the same database: it adds, renews, withdraws and deletes people, and records the
times from which others may have seen each change."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID, uuid4

import psycopg

from lab.certvakt import Installation
from torture.facts import Version
from torture.world import Change, Mentor, State, renews


@dataclass
class App:
    """An app with its own connection, which it reopens after an outage."""

    installation: Installation
    isolation: str = "read committed"
    # The app's current time.
    now: datetime | None = None
    histories: dict[UUID, list[Version]] = field(default_factory=dict)
    mentors: dict[UUID, Mentor] = field(default_factory=dict)

    def __post_init__(self):
        self._connection: psycopg.Connection | None = None

    def connection(self, patience: float = 30) -> psycopg.Connection:
        """Returns a working connection, as soon as there is a server."""
        end = time.monotonic() + patience
        while True:
            try:
                if self._connection is None:
                    database = self.installation.database
                    self._connection = self.installation.server.connect(database, connect_timeout=5)
                    self._connection.execute(
                        "select set_config('default_transaction_isolation', %s, false)", [self.isolation]
                    )
                self._connection.execute("select")
                return self._connection
            except psycopg.OperationalError:
                self.close()
                if time.monotonic() > end:
                    raise
                time.sleep(0.03)

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def register(self, mentors: list[Mentor]) -> None:
        """Adds the initial people."""
        self.connection().execute("create table public.transactions_of_app (id uuid primary key)")
        self.commit(tuple(Change("add", mentor, mentor.state) for mentor in mentors))

    def register_crowd(self, people: int, expires_at: datetime) -> None:
        """Adds many people without a device, who differ only in their certifications."""
        connection = self.connection()
        with connection.transaction():
            rows = connection.execute(
                """with new as (insert into certvakt.people (id)
                     select gen_random_uuid() from generate_series(1, %s) returning id)
                   insert into public.peer_mentor_certifications
                     (organisation_id, chapter_id, peer_mentor_id, certification_type, expires_at)
                   select c.organisation_id, c.id, new.id, 'type', %s from new, certvakt.chapters c
                   returning id, peer_mentor_id""",
                [people, expires_at],
            ).fetchall()
        state = State(expires_at)
        for certification, person in rows:
            self.mentors[certification] = Mentor(certification, person, (), state)
            self.histories[certification] = [Version(state, 0, 0, opens_cycle=True)]

    def commit(self, changes: tuple[Change, ...], thinks: float = 0) -> None:
        """Runs one transaction, which reads, pauses for some seconds and then writes. If the server
        disappears in between, it checks whether the transaction was committed, and repeats it if not."""
        transaction = uuid4()
        while True:
            connection = self.connection()
            try:
                with connection.transaction():
                    connection.execute("select set_config('certvakt.now', %s, true)", [self.now.isoformat()])
                    connection.execute("select count(*) from public.peer_mentor_certifications")
                    time.sleep(thinks)
                    sent = time.time()
                    for change in changes:
                        self._write(connection, change)
                    connection.execute("insert into public.transactions_of_app values (%s)", [transaction])
                break
            except (psycopg.errors.DeadlockDetected, psycopg.errors.SerializationFailure):
                continue
            except psycopg.Error:
                # Out of disk, out of connection, out of server.
                self.close()
                if self._is_done(transaction):
                    break
                time.sleep(0.03)
        self.note(changes, sent, time.time(), self.now)

    def note(self, changes: tuple[Change, ...], sent: float, done: float, now: datetime) -> None:
        """Records changes that may have been visible from one time on, and are visible from another."""
        for change in changes:
            certification = change.mentor.certification
            self.mentors[certification] = change.mentor
            # It did not exist before it was added.
            known = self.histories.setdefault(certification, [Version(None, 0, 0)])
            before = known[-1].state
            opens = before is None or (
                change.state is not None
                and change.state.expires_at != before.expires_at
                and renews(before.expires_at, change.state.expires_at)
            )
            known.append(Version(change.state, sent, done, opens, now))

    def _is_done(self, transaction: UUID) -> bool:
        """Whether a transaction without a response was committed."""
        end = time.monotonic() + 30
        while True:
            try:
                wanted = "select from public.transactions_of_app where id = %s"
                return self.connection().execute(wanted, [transaction]).fetchone() is not None
            except psycopg.Error:
                self.close()
                if time.monotonic() > end:
                    raise
                time.sleep(0.03)

    def _write(self, connection: psycopg.Connection, change: Change) -> None:
        mentor, state = change.mentor, change.state
        consented = self.now if state and state.consents else None
        if change.kind == "add":
            connection.execute("insert into certvakt.people (id) values (%s)", [mentor.person])
            for device in mentor.devices:
                connection.execute(
                    "insert into certvakt.contact_points (person_id, kind, address) values (%s, 'push', %s)",
                    [mentor.person, device],
                )
            connection.execute(
                """insert into public.peer_mentor_certifications
                     (id, organisation_id, chapter_id, peer_mentor_id, certification_type, expires_at, status)
                   select %s, organisation_id, id, %s, 'type', %s, %s from certvakt.chapters""",
                [mentor.certification, mentor.person, state.expires_at, status(state)],
            )
            if mentor.key:
                connection.execute(
                    """insert into certvakt.listings
                         (organisation_id, partner, partner_key, person_id, listing_consent_at)
                       select organisation_id, code, %s, %s, %s from certvakt.partners""",
                    [mentor.key, mentor.person, consented],
                )
        elif change.kind == "consent":
            connection.execute(
                "update certvakt.listings set listing_consent_at = %s where person_id = %s",
                [consented, mentor.person],
            )
        elif change.kind == "erase":
            connection.execute("delete from certvakt.people where id = %s", [mentor.person])
        elif change.kind == "delete":
            connection.execute(
                "delete from public.peer_mentor_certifications where id = %s", [mentor.certification]
            )
        else:
            connection.execute(
                "update public.peer_mentor_certifications set expires_at = %s, status = %s where id = %s",
                [state.expires_at, status(state), mentor.certification],
            )


def status(state: State) -> str:
    return "suspended" if state.suspended else "active"
