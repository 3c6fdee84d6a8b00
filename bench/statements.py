"""The statements of a request, as the server's log records them, and their cost without the service."""

import re
from dataclasses import dataclass

import psycopg

# With the default log_line_prefix. The other lines of an entry begin with a tab.
ENTRY = re.compile(r"^\d{4}-\d\d-\d\d \S+ \S+ \[\d+\] (\w+):  (.*(?:\n\t.*)*)", re.MULTILINE)
PARAMETER = re.compile(r"\$(\d+) = (NULL|'(?:[^']|'')*')")
CALLER = "set local role authenticated"
ROWS_READ = """
select coalesce(sum(seq_tup_read), 0) + coalesce(sum(idx_tup_fetch), 0) from pg_stat_xact_user_tables
"""


@dataclass(frozen=True)
class Statement:
    """A statement as one message of the protocol, with its parameters as literals."""

    sql: str
    # Whether it has parameters in the service, which sends the others as simple queries.
    is_prepared: bool


def recorded(log: str) -> list[Statement]:
    """The statements in a part of a log, with `log_statement = all`."""
    found = []
    for level, lines in ENTRY.findall(log):
        text = lines.replace("\n\t", "\n")
        if level == "LOG" and text.startswith("statement: "):
            found.append(Statement(text.removeprefix("statement: "), is_prepared=False))
        elif level == "LOG" and text.startswith("execute "):
            found.append(Statement(text.split(": ", 1)[1], is_prepared=True))
        elif level == "DETAIL" and text.lower().startswith("parameters: "):
            values = dict(PARAMETER.findall(text))
            sql = re.sub(r"\$(\d+)", lambda place, values=values: values[place[1]], found[-1].sql)
            found[-1] = Statement(sql, is_prepared=True)
    return found


def transactions(statements: list[Statement]) -> list[list[Statement]]:
    """The statements by transaction. A transaction begins with a simple query."""
    found: list[list[Statement]] = []
    for statement in statements:
        if not statement.is_prepared and statement.sql.startswith("begin"):
            found.append([])
        found[-1].append(statement)
    return found


def of_caller(statements: list[Statement]) -> list[list[Statement]]:
    """The transactions in which the service acts as the person, without those that look up a session."""
    return [one for one in transactions(statements) if CALLER in one[0].sql]


def rows_read(statements: list[Statement], address: str) -> int:
    """The number of table rows that the transactions of the caller read, including those in functions.
    Index-only scans read none."""
    total = 0
    for one in of_caller(statements):
        # The counters belong to a connection.
        with psycopg.connect(address, autocommit=True) as connection:
            for statement in one[:-1]:
                connection.execute(statement.sql)
            total += int(connection.execute(ROWS_READ).fetchone()[0])
            connection.execute(one[-1].sql)
    return total


def script(statements: list[Statement]) -> str:
    """A script for pgbench in which each statement is one message, as in the service."""

    def message(statement: Statement) -> str:
        without_comments = re.sub(r"--.*", "", statement.sql)
        one_line = re.sub(r"\s+", " ", without_comments).strip().rstrip(";")
        return (one_line if statement.is_prepared else one_line.replace(";", " \\;")) + ";\n"

    return "".join(map(message, statements))
