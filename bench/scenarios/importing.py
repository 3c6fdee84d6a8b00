"""P10: the import of a CSV register, without and with columns for chapter and type, against psql's
\\copy of the resulting rows. P22: its undo."""

import csv
from datetime import timedelta
from pathlib import Path

from bench import floors, tables
from bench.measure import expect
from bench.register import Register
from bench.session import Session
from bench.tables import CERTIFICATIONS

IMPORT = "certvakt import"
FLOOR = "psql, \\copy into bare copies"
NATIONAL = "certvakt import, with chapters and types"
UNDO = "certvakt import undo"
TENFOLD = "certvakt import, 10 x as many"
DAYS = 730
COLUMNS = ("external_id", "name", "email", "push_token", "expires_at")
CHAPTERS, TYPES = 40, 3
IN_ORG = ("--organisation", "org")


def run_all(session: Session) -> None:
    rows = session.sizes.imported
    register = Register(session.server, "import", session.today)
    file = session.folder / "register.csv"
    write_register(register, file, rows)
    national = session.folder / "national.csv"
    write_register(register, national, rows, names_chapters=True)
    for number in range(CHAPTERS):
        register.installation.run(
            ["chapter", "add", f"lag-{number}", *IN_ORG, "--name", f"Lokallag {number}"]
        )
    for number in range(TYPES):
        register.installation.run(["type", "add", f"kurs-{number}", *IN_ORG, "--name", f"Kurs {number}"])
    session.say(f"importing {rows:,} rows once, untimed, for the rows that the floor copies")
    before = row_counts(register)
    register.installation.run(import_command(file))
    counts = {table: n - before[table] for table, n in row_counts(register).items() if n != before[table]}
    filled = tables.in_order_of_reference(register.connection, list(counts))
    floors.copy_out(register, filled, session.folder)
    tables.make_bare_copies(register.connection, filled)
    session.say("the import fills " + ", ".join(f"{table} ({counts[table]:,})" for table in filled))
    copies = floors.copy_script(register, filled, session.folder)
    for _ in session.each_round("importing"):
        for name, command in [(NATIONAL, national_command(national)), (IMPORT, import_command(file))]:
            import_once(session, register, name, command, filled)
            expect(
                "rows filled by the import",
                row_counts(register),
                before | {t: before[t] + n for t, n in counts.items()},
            )
        undo_once(session, register, before)
        tables.truncate(register.connection, *filled)
        floors.prepare(register, filled)
        session.record(FLOOR, floors.psql(register, copies, session.folder))
        for table in filled:
            copy = tables.copy_of(table, "bare")
            expect(f"rows in {copy}", register.count(copy), counts[table])
        tables.truncate(register.connection, *(tables.copy_of(table, "bare") for table in filled))
    session.rates("P10", "rows by " + IMPORT, (IMPORT, rows), (FLOOR, rows), ">= 0.5")
    session.rates("P10", "rows by " + NATIONAL, (NATIONAL, rows), (FLOOR, rows), ">= 0.45")
    session.times("P22", UNDO, UNDO, IMPORT, "<= 2")
    if session.sizes.tenfold_memory and session.wants("P11"):
        write_register(register, file, 10 * rows)
        import_once(session, register, TENFOLD, import_command(file), filled)
        expect("certifications imported", register.count(CERTIFICATIONS), 10 * rows)
    session.server.connect().execute('drop database "import" with (force)')


def import_once(session: Session, register: Register, name: str, command: list, filled: list[str]) -> None:
    tables.truncate(register.connection, *filled)
    register.prepare(*filled)
    session.certvakt(name, register, command)


def undo_once(session: Session, register: Register, before: dict[str, int]) -> None:
    number = register.connection.execute("select max(id) from certvakt.imports").fetchone()[0]
    register.connection.execute("vacuum analyze")
    session.certvakt(UNDO, register, ["import", "undo", str(number)])
    left = {table: n for table, n in row_counts(register).items() if n != before[table]}
    expect("rows that an undo leaves", left, {"certvakt.imports": before["certvakt.imports"] + 1})


def import_command(file: Path) -> list:
    """The command that imports a file with these columns."""
    chosen = [*IN_ORG, "--chapter", "chapter", "--type", "type"]
    return ["import", str(file), *chosen, "--column", *(f"{name}={name}" for name in COLUMNS)]


def national_command(file: Path) -> list:
    """The command that imports a file whose rows name their chapter and type."""
    return [
        "import",
        str(file),
        *IN_ORG,
        "--column",
        *(f"{name}={name}" for name in (*COLUMNS, "chapter", "type")),
    ]


def row_counts(register: Register) -> dict[str, int]:
    """The number of rows of each of certvakt's tables, except the command log."""
    found = register.connection.execute(
        "select format('%I.%I', schemaname, tablename) from pg_tables"
        " where schemaname in ('public', 'certvakt') and tablename <> 'command_log'"
    )
    return {table: register.count(table) for (table,) in found.fetchall()}


def write_register(register: Register, path: Path, rows: int, names_chapters: bool = False) -> None:
    """Writes a typical register, with expiry dates over two years, and optionally chapters and types."""
    days = [str(register.today + timedelta(days=day)) for day in range(-30, DAYS - 30)]
    with path.open("w", encoding="utf-8", newline="") as file:
        lines = csv.writer(file)
        lines.writerow((*COLUMNS, "chapter", "type") if names_chapters else COLUMNS)
        for i in range(rows):
            row = (f"M-{i}", f"Mentor {i}", f"mentor{i}@example.org", f"ok-{i}", days[i * 389 % DAYS])
            named = (f"Lokallag {i % CHAPTERS}", f"Kurs {i % TYPES}") if names_chapters else ()
            lines.writerow((*row, *named))
