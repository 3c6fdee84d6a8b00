"""Certifications with long histories."""

from psycopg import Connection

from bench import tables
from bench.measure import expect
from bench.tables import CERTIFICATIONS, EVENTS
from lab.certvakt import Installation


def make(connection: Connection, entries: int, which: str) -> None:
    """Saves certifications for `restore`; those that match a condition on `c` get this number of entries
    each."""
    tables.save(connection, CERTIFICATIONS)
    tables.play(connection, "histories.sql", entries=entries, which=which)


def restore(connection: Connection) -> None:
    """Restores the certifications with the generated histories, none of which is moved to rows."""
    tables.truncate(connection, CERTIFICATIONS, EVENTS)
    with tables.without_triggers(connection):
        connection.execute(tables.insert_saved(connection, CERTIFICATIONS, CERTIFICATIONS))
        connection.execute("update certvakt.organisations set has_renewal_events = false")


def check(installation: Installation, histories: int, entries: int) -> None:
    """Checks that all histories are consistent and complete."""
    found = installation.json(["verify", "--history"])
    expect("histories", found["histories"], histories)
    expect("entries of histories", found["entries"], entries)
