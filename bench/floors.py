"""The floors in PostgreSQL: the same rows inserted by psql in one session into bare copies of the
tables."""

from pathlib import Path

from bench import tables
from bench.measure import Measurement, measure
from bench.register import Register
from lab.postgres import programs


def psql(register: Register, script: str, folder: Path) -> Measurement:
    """Runs a script in one transaction as superuser, with psql itself instead of the distribution's
    wrapper."""
    file = folder / "floor.sql"
    file.write_text(script, encoding="utf-8")
    address = register.installation.server.address(database=register.installation.database)
    command = [programs() / "psql", "-X", "-q", "-1", "-v", "ON_ERROR_STOP=1", "-f", file, address]
    return measure(command)


def prepare(register: Register, names: list[str]) -> None:
    """Empties the bare copies."""
    copies = [tables.copy_of(table, "bare") for table in names]
    tables.truncate(register.connection, *copies)
    register.prepare(*copies)


def insert_script(register: Register, names: list[str]) -> str:
    """A script that inserts the rows that the run recorded into the bare copies, in the same order."""
    statements = [
        tables.insert_saved(register.connection, table, tables.copy_of(table, "bare")) for table in names
    ]
    # Read the rows in physical order.
    return "\n".join(f"{line};" for line in ["set local synchronize_seqscans = off", *statements])


def copy_out(register: Register, names: list[str], folder: Path) -> None:
    """Writes the rows of tables to files, for `copy_script`."""
    lines = []
    for table in names:
        columns = tables.columns(register.connection, table)
        lines.append(f"\\copy {table} ({columns}) to '{folder / table}.copy'")
    psql(register, "\n".join(lines) + "\n", folder)


def copy_script(register: Register, names: list[str], folder: Path) -> str:
    """Reads the files into the bare copies."""
    lines = []
    for table in names:
        columns = tables.columns(register.connection, table)
        lines.append(f"\\copy {tables.copy_of(table, 'bare')} ({columns}) from '{folder / table}.copy'")
    return "\n".join(lines) + "\n"
