"""Certifications that were renewed often."""

from psycopg import Connection

from bench import tables
from bench.measure import expect
from bench.tables import CERTIFICATIONS, EVENTS
from lab.certvakt import Installation


def make(connection: Connection, entries: int, which: str) -> None:
    """Keeps the certifications for `restore`, some of them (a condition on `c`) with so many entries each."""
    tables.save(connection, CERTIFICATIONS)
    tables.play(connection, "histories.sql", entries=entries, which=which)


def restore(connection: Connection) -> None:
    """The certifications with the histories that were made, none of them moved to rows."""
    tables.truncate(connection, CERTIFICATIONS, EVENTS)
    with tables.without_triggers(connection):
        connection.execute(tables.insert_saved(connection, CERTIFICATIONS, CERTIFICATIONS))
        connection.execute("update certvakt.organisations set has_renewal_events = false")


def check(installation: Installation, histories: int, entries: int) -> None:
    """Whether all of them hold together, and are as many."""
    found = installation.json(["verify", "--history"])
    expect("histories", found["histories"], histories)
    expect("entries of histories", found["entries"], entries)
