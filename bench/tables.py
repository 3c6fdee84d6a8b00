"""Operations on tables, independent of their columns: truncating, saving rows, and making bare copies.

Nothing here contains a column's name, so changes of the schema need no change here."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

from psycopg import Connection

from bench.measure import expect

CERTIFICATIONS = "public.peer_mentor_certifications"
LOG = "public.cert_notification_log"
PEOPLE = "certvakt.people"
CONTACT_POINTS = "certvakt.contact_points"
CHANGES = "certvakt.certification_changes"
DELIVERIES = "certvakt.deliveries"
ATTEMPTS = "certvakt.delivery_attempts"
RUNS = "certvakt.runs"
CALENDARS = "certvakt.run_calendars"
EVENTS = "certvakt.certification_renewal_events"
HERE = Path(__file__).parent


def play(connection: Connection, file: str, **values) -> None:
    """Runs a file of statements, with values for its placeholders, which start with a colon."""
    text = (HERE / file).read_text(encoding="utf-8")
    for name, value in values.items():
        text = text.replace(f":{name}", str(value))
    connection.execute(text)


def count(connection: Connection, table: str, where: str = "true") -> int:
    return connection.execute(f"select count(*) from {table} where {where}").fetchone()[0]


def columns(connection: Connection, table: str) -> str:
    """The columns that can be inserted, separated by commas."""
    found = connection.execute(
        "select string_agg(quote_ident(attname), ', ' order by attnum) from pg_attribute"
        " where attrelid = %s::regclass and attnum > 0 and not attisdropped and attgenerated = ''",
        [table],
    )
    return found.fetchone()[0]


@contextlib.contextmanager
def without_triggers(connection: Connection) -> Iterator[None]:
    """Changes rows as a replica would, without triggers and foreign-key checks."""
    connection.execute("set session_replication_role = replica")
    try:
        yield
    finally:
        connection.execute("reset session_replication_role")


@contextlib.contextmanager
def without_indexes(connection: Connection, tables: list[str]) -> Iterator[None]:
    """Disables the indexes during inserts, and rebuilds them afterwards. Dropping them would also drop the
    foreign keys that need them."""
    connection.execute(
        "update pg_index set indisready = false where indrelid = any (%s::regclass[])",
        [tables],
    )
    yield
    connection.execute("set maintenance_work_mem = '1GB'")
    for table in tables:
        connection.execute(f"reindex table {table}")
    connection.execute("reset maintenance_work_mem")


def truncate(connection: Connection, *tables: str) -> None:
    """Truncates tables and those that reference them, with the triggers that refuse it disabled."""
    enabled = {"O": "enable", "A": "enable always", "R": "enable replica"}
    with connection.transaction():
        refusing = connection.execute(
            "select tgrelid::regclass::text, quote_ident(tgname), tgenabled::text from pg_trigger"
            " where not tgisinternal and tgenabled <> 'D' and tgtype & 32 <> 0"
        ).fetchall()
        for table, trigger, _ in refusing:
            connection.execute(f"alter table {table} disable trigger {trigger}")
        connection.execute(f"truncate {', '.join(tables)} restart identity cascade")
        for table, trigger, state in refusing:
            connection.execute(f"alter table {table} {enabled[state]} trigger {trigger}")


def copy_of(table: str, schema: str) -> str:
    return f"{schema}.{table.partition('.')[2]}"


def save(connection: Connection, table: str) -> None:
    """Saves the rows of a table in physical order."""
    saved = copy_of(table, "saved")
    connection.execute("create schema if not exists saved")
    connection.execute(f"drop table if exists {saved}")
    connection.execute(f"create table {saved} as table {table}")
    connection.execute(f"vacuum (analyze) {saved}")


def insert_saved(connection: Connection, table: str, into: str) -> str:
    """A statement that inserts the saved rows of a table, in order, into it or into a copy of it."""
    names = columns(connection, table)
    saved = copy_of(table, "saved")
    return f"insert into {into} ({names}) overriding system value select {names} from {saved}"


def make_bare_copies(connection: Connection, tables: list[str]) -> None:
    """Makes copies of tables in the schema `bare`, with every constraint, index and foreign key, but
    without triggers and row-level security. A foreign key to a copied table points at the copy."""
    connection.execute("drop schema if exists bare cascade")
    connection.execute("create schema bare")
    for table in tables:
        connection.execute(f"create table {copy_of(table, 'bare')} (like {table} including all)")
    # With an empty search path, every name in a definition is qualified.
    with connection.transaction():
        connection.execute("set local search_path = ''")
        for table in tables:
            keys = connection.execute(
                "select conname, confrelid::regclass::text, pg_get_constraintdef(oid) from pg_constraint"
                " where contype = 'f' and conrelid = %s::regclass",
                [table],
            ).fetchall()
            for name, referenced, definition in keys:
                if referenced in tables:
                    definition = definition.replace(  # noqa: PLW2901
                        f"REFERENCES {referenced}(", f"REFERENCES {copy_of(referenced, 'bare')}("
                    )
                connection.execute(
                    f'alter table {copy_of(table, "bare")} add constraint "{name}" {definition}'
                )
    for table in tables:
        copy = copy_of(table, "bare")
        expect(f"indexes and constraints of {copy}", burden(connection, copy), burden(connection, table))


def burden(connection: Connection, table: str) -> tuple:
    """The number of indexes of a table, and of constraints of each kind."""
    found = connection.execute(
        "select (select count(*) from pg_index where indrelid = t.oid),"
        " (select count(*) from pg_constraint where conrelid = t.oid and contype = 'c'),"
        " (select count(*) from pg_constraint where conrelid = t.oid and contype = 'f')"
        " from pg_class t where t.oid = %s::regclass",
        [table],
    )
    return found.fetchone()


def in_order_of_reference(connection: Connection, tables: list[str]) -> list[str]:
    """Tables in an order in which each comes after those that its foreign keys reference."""
    with connection.transaction():
        connection.execute("set local search_path = ''")
        references = connection.execute(
            "select conrelid::regclass::text, confrelid::regclass::text from pg_constraint"
            " where contype = 'f' and conrelid <> confrelid"
        ).fetchall()
    ordered: list[str] = []
    while len(ordered) < len(tables):
        free = [
            table
            for table in tables
            if table not in ordered
            and all(to in ordered or to not in tables for by, to in references if by == table)
        ]
        ordered += sorted(free)
    return ordered
