"""The statements of a request, as the server's log records them, and their cost without the service."""

import re
from collections import defaultdict
from dataclasses import dataclass

import psycopg

# With the default log_line_prefix. The other lines of an entry begin with a tab.
ENTRY = re.compile(r"^\d{4}-\d\d-\d\d \S+ \S+ \[(\d+)\] (\w+):  (.*(?:\n\t.*)*)", re.MULTILINE)
PARAMETER = re.compile(r"\$(\d+) = (NULL|'(?:[^']|'')*')")
CALLER = "set local role authenticated"
SESSIONS = "set local role certvakt_auth"
ROWS_READ = """
select coalesce(sum(seq_tup_read), 0) + coalesce(sum(idx_tup_fetch), 0) from pg_stat_xact_user_tables
"""


@dataclass(frozen=True)
class Statement:
    """A statement as one message of the protocol, with its parameters as literals."""

    sql: str
    # Whether it has parameters in the service, which sends the others as simple queries.
    is_prepared: bool


def recorded(log: str) -> dict[int, list[Statement]]:
    """The statements of each server process in a part of a log, with `log_statement = all`."""
    found: dict[int, list[Statement]] = defaultdict(list)
    for process, level, lines in ENTRY.findall(log):
        text, statements = lines.replace("\n\t", "\n"), found[int(process)]
        if level == "LOG" and text.startswith("statement: "):
            statements.append(Statement(text.removeprefix("statement: "), is_prepared=False))
        elif level == "LOG" and text.startswith("execute "):
            statements.append(Statement(text.split(": ", 1)[1], is_prepared=True))
        elif level == "DETAIL" and text.lower().startswith("parameters: ") and statements:
            values = dict(PARAMETER.findall(text))
            sql = re.sub(r"\$(\d+)", lambda place, values=values: values[place[1]], statements[-1].sql)
            statements[-1] = Statement(sql, is_prepared=True)
    return found


def transactions(log: str) -> list[list[Statement]]:
    """The complete transactions of requests: those that look up a session or act as the person. The service's
    own work may happen between them, on other connections, and part of it outside the log's part."""
    found = []
    for statements in recorded(log).values():
        open_ = None
        for statement in statements:
            if statement.sql.startswith("begin"):
                open_ = [statement]
            elif open_:
                open_.append(statement)
                if statement.sql in ("commit", "rollback"):
                    found.append(open_)
                    open_ = None
    return [one for one in found if CALLER in one[0].sql or SESSIONS in one[0].sql]


def of_caller(request: list[list[Statement]]) -> list[list[Statement]]:
    """The transactions in which the service acts as the person, without those that look up a session."""
    return [one for one in request if CALLER in one[0].sql]


def rows_read(request: list[list[Statement]], address: str) -> int:
    """The number of table rows that transactions read, including those in functions. Index-only scans read
    none."""
    total = 0
    for one in request:
        # The counters belong to a connection.
        with psycopg.connect(address, autocommit=True) as connection:
            for statement in one[:-1]:
                connection.execute(statement.sql)
            total += int(connection.execute(ROWS_READ).fetchone()[0])
            connection.execute(one[-1].sql)
    return total


def script(request: list[list[Statement]]) -> str:
    """A script for pgbench in which each statement is one message, as in the service."""

    def message(statement: Statement) -> str:
        without_comments = re.sub(r"--.*", "", statement.sql)
        one_line = re.sub(r"\s+", " ", without_comments).strip().rstrip(";")
        return (one_line if statement.is_prepared else one_line.replace(";", " \\;")) + ";\n"

    return "".join(message(statement) for one in request for statement in one)
