"""P6: a night without due certifications, while a sixth are in a stage that is already recorded."""

from bench import tables
from bench.measure import expect
from bench.register import QUIET, TOUCHED_BY_A_RUN, Register
from bench.results import TITLES
from bench.scenarios import recording
from bench.session import Session
from bench.tables import CALENDARS, DELIVERIES, LOG, RUNS

ONE, TEN = "quiet night, 1 x as many", "quiet night, 10 x as many"
FIRST = "certvakt run, the first"
APPROVED = "certvakt run --approve, 10 x as many"


def told(session: Session, register: Register, certifications: int, name: str | None = None) -> Register:
    """Fills a register with expiries over two years, and records the notices of all that are in a stage."""
    session.say(f"generating {certifications:,} certifications, expiring over two years")
    register.fill(certifications, certifications, QUIET, [])
    command = register.run_command("--approve", on=register.yesterday)
    if name is None:
        register.installation.run(command)
    else:
        session.certvakt(name, register, command)
    notices = register.count(LOG)
    inside = register.count(
        tables.CERTIFICATIONS,
        f"(expires_at at time zone 'Europe/Oslo')::date - date '{register.yesterday}' between -30 and 90",
    )
    expect("notices of everybody inside a stage", notices, inside)
    tables.save(register.connection, CALENDARS)
    register.prepare(*TOUCHED_BY_A_RUN)
    return register


def told_tenfold(session: Session) -> Register:
    """The large register with recorded notices, which is filled on first use."""
    if APPROVED not in session.samples.seconds:
        told(session, session.tenfold, session.sizes.tenfold, APPROVED)
    return session.tenfold


def run_all(session: Session) -> None:
    small = told(session, Register(session.server, "quiet", session.today), session.sizes.certifications)
    large = told_tenfold(session)
    for _ in session.each_round(TITLES["P6"]):
        recording.first_run(session, session.due, FIRST)
        for name, register in ((ONE, small), (TEN, large)):
            night(session, register, name)
    session.times("P6", TEN, TEN, ONE, "<= 2")
    session.times("P6", TEN, TEN, FIRST, "<= 0.05")


def night(session: Session, register: Register, name: str) -> None:
    notices = register.count(LOG)
    register.connection.execute(f"delete from {RUNS} where run_date = %s", [register.today])
    tables.truncate(register.connection, CALENDARS)
    register.connection.execute(tables.insert_saved(register.connection, CALENDARS, CALENDARS))
    register.prepare(*TOUCHED_BY_A_RUN)
    session.certvakt(name, register, register.run_command())
    expect("notices after a quiet night", register.count(LOG), notices)
    expect("deliveries after a quiet night", register.count(DELIVERIES), notices)
    tonight = f"run_date = '{register.today}' and state = 'complete'"
    expect("complete runs tonight", register.count(RUNS, tonight), 1)
