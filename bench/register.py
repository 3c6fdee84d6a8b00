"""A certvakt database with generated certifications, some of which are due."""

import contextlib
import math
from collections.abc import Iterator
from datetime import date, timedelta

from bench import tables
from bench.tables import (
    ATTEMPTS,
    CALENDARS,
    CERTIFICATIONS,
    CHANGES,
    CONTACT_POINTS,
    DELIVERIES,
    LOG,
    PEOPLE,
    RUNS,
)
from lab.certvakt import Installation
from lab.postgres import Server

# The days from a run to the last valid day on which a certification is in a stage: 60 in the first, 23, 8,
# and 30 in the last.
IN_A_STAGE = range(-30, 91)
# The days on which a certification comes due.
COMES_DUE = (90, 30, 7, -1)
# So far in the future that nothing is due.
FAR_AHEAD = range(400, 1100)
# Two years without the days that are due tonight.
QUIET = [day for day in range(-30, 700) if day not in COMES_DUE]
# Ids as an import creates them (certvakt.uuid_v7), several per millisecond, from a kind of object and a
# number.
ID = (
    "overlay(md5('{thing} ' || {i})"
    " placing lpad(to_hex(1750000000000 + {i} / 16), 12, '0') || '7' from 1 for 13)::uuid"
)
PERSON, CERTIFICATION = ID.format(thing="person", i="i"), ID.format(thing="certification", i="i")
# The certifications are evenly of three types, which have the organisation's lead times except in
# `each_type_selects`.
LEAD_TIMES = {"type": "180,90,30", "type-2": "120,60,7", "type-3": "180,60,7"}
TOUCHED_BY_A_RUN = (CERTIFICATIONS, LOG, DELIVERIES, ATTEMPTS, RUNS, CALENDARS)


class Register:
    """A database. Every measurement happens after `prepare`."""

    def __init__(self, server: Server, database: str, today: date):
        self.installation = Installation(server, database).create().with_organisation()
        # Delivery hours of a whole day, so that the benchmark can run at any time.
        hours = ["--deliver-from", "00:00", "--deliver-until", "00:00"]
        self.installation.run(["organisation", "set", "org", *hours])
        for code in list(LEAD_TIMES)[1:]:
            self.installation.run(["type", "add", code, "--organisation", "org"])
        self.connection = server.connect(database)
        self.today = today
        self.certifications = 0

    def fill(self, certifications: int, due: int, due_days, other_days) -> None:
        """Replaces everything by certifications, of which `due` expire evenly on `due_days` from today, and
        the others on `other_days`. The physical order does not depend on the expiry."""
        if certifications != self.certifications:
            tables.truncate(self.connection, PEOPLE)
            with (
                tables.without_triggers(self.connection),
                tables.without_indexes(self.connection, [PEOPLE, CONTACT_POINTS]),
            ):
                self._insert_people(certifications)
        else:
            tables.truncate(self.connection, CERTIFICATIONS)
        tables.truncate(self.connection, LOG, DELIVERIES, RUNS, CALENDARS)
        with (
            tables.without_triggers(self.connection),
            tables.without_indexes(self.connection, [CERTIFICATIONS, CHANGES]),
        ):
            self._insert_certifications(certifications, due, list(due_days), list(other_days))
        self.certifications = certifications
        self.prepare(PEOPLE, CONTACT_POINTS, CERTIFICATIONS, CHANGES)

    def _insert_people(self, number: int) -> None:
        self.connection.execute(
            f"insert into {PEOPLE} (id, name) select {PERSON}, 'Mentor ' || i from generate_series(1, %s) i",
            [number],
        )
        self.connection.execute(
            f"insert into {CONTACT_POINTS} (person_id, kind, address)"
            f" select {PERSON}, 'push', 'ok-' || i from generate_series(1, %s) i",
            [number],
        )

    def _insert_certifications(self, number: int, due: int, due_days: list, other_days: list) -> None:
        # Multiplication by a coprime number gives each row a different position.
        stride = int(number * 0.6180339)
        while math.gcd(stride, number) != 1:
            stride += 1
        self.connection.execute(
            f"""
            insert into {CERTIFICATIONS} (id, organisation_id, chapter_id, peer_mentor_id, certification_type,
              external_id, expires_at, status)
            select {CERTIFICATION}, c.organisation_id, c.id, {PERSON},
              (%(types)s::text[])[1 + r.i %% %(kinds_of_types)s], 'M-' || r.i,
              (%(today)s::date + case
                 when r.place < %(due)s then (%(due_days)s::int[])[1 + r.place * %(kinds)s / %(due)s]
                 else (%(other_days)s::int[])[1 + r.place %% %(others)s]
               end + time '23:59:59') at time zone o.time_zone,
              'active'
            from (
                select i, i::bigint * %(stride)s %% %(number)s as place from generate_series(1, %(number)s) i
              ) r,
              certvakt.chapters c join certvakt.organisations o on o.id = c.organisation_id
            """,
            {
                "today": self.today,
                "due": due,
                "due_days": due_days,
                "kinds": len(due_days),
                "other_days": other_days or [0],
                "others": max(len(other_days), 1),
                "types": list(LEAD_TIMES),
                "kinds_of_types": len(LEAD_TIMES),
                "stride": stride,
                "number": number,
            },
        )
        self.connection.execute(
            f"insert into {CHANGES} (organisation_id, certification_id, kind, expires_after)"
            f" select organisation_id, id, 'recorded', expires_at from {CERTIFICATIONS}"
        )

    def prepare(self, *touched: str) -> None:
        """The preparation of each measurement: VACUUM (ANALYZE) of the changed tables, CHECKPOINT."""
        self.connection.execute(f"vacuum (analyze) {', '.join(touched)}")
        self.connection.execute("checkpoint")

    def delete_runs(self) -> None:
        """Restores the state before the first run."""
        tables.truncate(self.connection, LOG, DELIVERIES, ATTEMPTS, RUNS, CALENDARS)
        with tables.without_triggers(self.connection):
            self.connection.execute(f"update {CERTIFICATIONS} set status = 'active' where status = 'expired'")

    @contextlib.contextmanager
    def each_type_selects(self) -> Iterator[None]:
        """Declares six lead times, of which each type selects its own three."""
        more = "from unnest(array[180, 120, 60]) n"
        self.connection.execute(f"select certvakt.declare_stage(n) {more}")
        self.connection.execute("select certvakt.validate_stages()")
        self._select(LEAD_TIMES)
        yield
        self.delete_runs()
        self._select(dict.fromkeys(LEAD_TIMES, "default"))
        self.connection.execute(f"select certvakt.remove_stage(n) {more}")

    def _select(self, lead_times: dict[str, str]) -> None:
        for code, days in lead_times.items():
            self.installation.run(["type", "set", code, "--organisation", "org", "--lead-times", days])

    def run_command(self, *arguments: str, on: date | None = None) -> list:
        return ["run", "--date", str(on or self.today), *arguments]

    def remember_run(self) -> None:
        """Runs once without measuring, and saves the recorded rows for the floors and for every drain."""
        self.delete_runs()
        self.prepare(*TOUCHED_BY_A_RUN)
        self.installation.run(self.run_command())
        for table in (LOG, DELIVERIES):
            tables.save(self.connection, table)
        self.connection.execute("checkpoint")

    def restore_deliveries(self) -> None:
        """Restores the deliveries as of the end of the run."""
        tables.truncate(self.connection, DELIVERIES, ATTEMPTS)
        self.connection.execute(tables.insert_saved(self.connection, DELIVERIES, DELIVERIES))

    def count(self, table: str, where: str = "true") -> int:
        return tables.count(self.connection, table, where)

    @property
    def yesterday(self) -> date:
        return self.today - timedelta(days=1)
