"""P1 to P4, P20 and P21: the nightly run, against bare inserts, a job queue, a textbook cron job and a
set-based SQL function; with lead times of types; and a second run."""

import csv
import json
from datetime import timedelta
from pathlib import Path

from bench import floors, peers, tables
from bench.measure import expect
from bench.register import TOUCHED_BY_A_RUN, Register
from bench.scenarios.importing import COLUMNS, import_command
from bench.session import Session
from bench.tables import CERTIFICATIONS, DELIVERIES, LOG, PEOPLE, RUNS

RUN = "certvakt run"
FLOOR = "psql, bare inserts of log and deliveries"
LOG_ALONE = "psql, bare insert of the log alone"
ADD_JOBS = "Graphile Worker (Node), addJobs"
CRON = "textbook cron job (Node)"
AGAIN = "certvakt run, again"
SQL_FUNCTION = "psql, a set-based SQL function"
BY_TYPE = "certvakt run, six lead times over three types"
NIGHTLY = Path(__file__).parents[1] / "nightly.sql"


def run_all(session: Session) -> None:
    register, sizes = session.due, session.sizes
    register.remember_run()
    tables.make_bare_copies(register.connection, [LOG, DELIVERIES])
    jobs = session.folder / "notices.jsonl"
    write_notices(register, jobs)
    late = session.folder / "late.csv"
    write_late(register, late, sizes.late)
    if session.wants("P20"):
        register.connection.execute(NIGHTLY.read_text(encoding="utf-8"))
    for _ in session.each_round("recording"):
        measure_round(session, register, jobs, late)
    compare_all(session)


def measure_round(session: Session, register: Register, jobs: Path, late: Path) -> None:
    first_run(session, register, RUN)
    if session.wants("P4"):
        run_again(session, register, late)
    if session.wants("P1"):
        floor(session, register, FLOOR, [LOG, DELIVERIES])
        floor(session, register, LOG_ALONE, [LOG])
    if session.wants("P21"):
        with register.each_type_selects():
            first_run(session, register, BY_TYPE)
    if session.wants("P20"):
        sql_function(session, register)
    if session.wants("P2"):
        add_jobs(session, jobs)
    if session.wants("P3"):
        cron(session, register)


def compare_all(session: Session) -> None:
    due = session.sizes.due
    if session.wants("P1"):
        session.times("P1", RUN, RUN, FLOOR, "<= 1.25")
        session.times("P1", RUN, RUN, LOG_ALONE)
    if session.wants("P2"):
        session.rates("P2", "notices by certvakt run", (RUN, due), (ADD_JOBS, due), ">= 1")
    if session.wants("P3"):
        session.rates("P3", "notices by certvakt run", (RUN, due), (CRON, session.sizes.cron), ">= 8")
    if session.wants("P4"):
        session.times("P4", AGAIN, AGAIN, RUN, "<= 0.15")
    if session.wants("P20"):
        session.times("P20", RUN, RUN, SQL_FUNCTION, "<= 1.35")
    if session.wants("P21"):
        session.times("P21", BY_TYPE, BY_TYPE, RUN, "<= 1.2")


def first_run(session: Session, register: Register, name: str) -> None:
    """The first run, which records everything in a stage."""
    register.delete_runs()
    register.prepare(*TOUCHED_BY_A_RUN)
    session.certvakt(name, register, register.run_command())
    expect("notices in the log", register.count(LOG), session.sizes.due)
    expect("deliveries", register.count(DELIVERIES), session.sizes.due)
    expect("complete runs", register.count(RUNS, "state = 'complete'"), 1)


def floor(session: Session, register: Register, name: str, names: list[str]) -> None:
    """Inserts the same rows into bare copies."""
    floors.prepare(register, [LOG, DELIVERIES])
    script = floors.insert_script(register, names)
    session.record(name, floors.psql(register, script, session.folder))
    for table in names:
        copy = tables.copy_of(table, "bare")
        expect(f"rows in {copy}", register.count(copy), session.sizes.due)


def run_again(session: Session, register: Register, late: Path) -> None:
    """A second run after a small import, which records only the imported certifications."""
    register.installation.run(import_command(late))
    register.prepare(*TOUCHED_BY_A_RUN)
    session.certvakt(AGAIN, register, register.run_command())
    expect("notices after the second run", register.count(LOG), session.sizes.due + session.sizes.late)
    late_ones = f"from {CERTIFICATIONS} where external_id like 'late-%'"
    of_late = register.count(LOG, f"certification_id in (select id {late_ones})")
    expect("notices of the late ones", of_late, session.sizes.late)
    register.delete_runs()
    register.connection.execute(f"delete from {PEOPLE} where id in (select peer_mentor_id {late_ones})")


def add_jobs(session: Session, jobs: Path) -> None:
    session.peers.clear("node")
    added = session.peers.add("node", jobs)
    # The time of the calls only, to its advantage: certvakt's time is that of the whole process.
    session.record(ADD_JOBS, added, json.loads(added.output)["seconds"])
    expect("jobs", session.peers.left("node"), session.sizes.due)
    session.peers.clear("node")


def cron(session: Session, register: Register) -> None:
    register.delete_runs()
    register.prepare(*TOUCHED_BY_A_RUN)
    installation, rows = register.installation, session.sizes.cron
    address = installation.server.address(database=installation.database)
    session.record(CRON, peers.cron(address, str(register.today), rows))
    expect("notices by the cron job", register.count(LOG), rows)


def sql_function(session: Session, register: Register) -> None:
    """The same notices, with the same keys, by one statement in the database."""
    register.delete_runs()
    register.prepare(*TOUCHED_BY_A_RUN)
    script = f"select nightly.record_notices('{register.today}');\n"
    session.record(SQL_FUNCTION, floors.psql(register, script, session.folder))
    saved = tables.copy_of(LOG, "saved")
    same = f"idempotency_key in (select idempotency_key from {saved})"
    expect("notices by the SQL function, with the run's keys", register.count(LOG, same), session.sizes.due)


def write_notices(register: Register, path: Path) -> None:
    """Writes the notices of the run as jobs."""
    saved = tables.copy_of(LOG, "saved")
    rows = register.connection.execute(
        "select jsonb_build_object('jobKey', l.idempotency_key,"
        f" 'payload', to_jsonb(l) - 'id' - 'idempotency_key')::text from {saved} l"
    )
    with path.open("w", encoding="utf-8") as file:
        file.writelines(f"{job}\n" for (job,) in rows)


def write_late(register: Register, path: Path, number: int) -> None:
    """Writes a register of people who are already in a stage."""
    with path.open("w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(COLUMNS)
        for i in range(number):
            expires = register.today + timedelta(days=1 + i % 80)
            rows.writerow([f"late-{i}", f"Mentor {i}", f"late{i}@example.org", f"ok-late{i}", expires])
