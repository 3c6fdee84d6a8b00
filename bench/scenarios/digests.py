"""P24: the nightly run with and without coordinators, and the digests of the morning after it."""

import contextlib
import re
from collections.abc import Iterator

from bench import floors, tables
from bench.measure import expect
from bench.register import FAR_AHEAD, IN_A_STAGE, Register
from bench.scenarios.recording import first_run
from bench.session import Session
from bench.tables import CERTIFICATIONS, CONTACT_POINTS, DELIVERIES, LOG, PEOPLE
from lab.certvakt import ROOT

ALONE, WITH = "certvakt run, no coordinators", "certvakt run, 500 coordinators"
RECORDED = "certvakt run, and 500 digests recorded"
READ = "certvakt run, and 500 digests recorded and their content read"
MEMBERSHIPS = "certvakt.memberships"
DIGESTS, DAYS, QUEUE = "certvakt.digests", "certvakt.digest_days", "certvakt.mail_queue"
COORDINATORS = 500
# The statements of the service, the number of e-mails that it sends at once, and of mentors in each.
STATEMENTS = ROOT / "crates/store/src/digest"
AT_ONCE, MOST = 20, 200


def run_all(session: Session) -> None:
    sizes = session.sizes
    session.say(f"generating {sizes.certifications:,} certifications in {COORDINATORS} chapters")
    register = Register(session.server, "digests", session.today)
    register.fill(sizes.certifications, sizes.due, IN_A_STAGE, FAR_AHEAD)
    with tables.without_triggers(register.connection), register.connection.transaction():
        tables.play(register.connection, "digests.sql", coordinators=COORDINATORS)
    register.prepare(CERTIFICATIONS, PEOPLE, CONTACT_POINTS, MEMBERSHIPS, "certvakt.chapters")
    record, read = statements(session, register)
    seconds = session.samples.seconds
    for _ in session.each_round("digests"):
        tables.truncate(register.connection, DIGESTS, DAYS, QUEUE)
        with without_coordinators(register):
            first_run(session, register, ALONE)
        first_run(session, register, WITH)
        register.prepare(DELIVERIES, LOG)
        recorded = floors.psql(register, record, session.folder)
        session.record(RECORDED, recorded, seconds[WITH][-1] + recorded.seconds)
        expect("digests", register.count(DIGESTS, "kind = 'daily'"), COORDINATORS)
        content = floors.psql(register, read, session.folder)
        session.record(READ, content, seconds[RECORDED][-1] + content.seconds)
    session.times("P24", WITH, WITH, ALONE, "<= 1.1")
    session.times("P24", RECORDED, RECORDED, ALONE)
    session.times("P24", READ, READ, ALONE)
    session.server.connect().execute("drop database digests with (force)")


@contextlib.contextmanager
def without_coordinators(register: Register) -> Iterator[None]:
    """Removes the roles of the coordinators, and restores them at the end."""
    execute = register.connection.execute
    with tables.without_triggers(register.connection):
        execute(f"create temp table roles as select * from {MEMBERSHIPS} where role = 'coordinator'")
        execute(f"delete from {MEMBERSHIPS} where role = 'coordinator'")
    try:
        yield
    finally:
        with tables.without_triggers(register.connection):
            execute(f"insert into {MEMBERSHIPS} select * from roles")
            execute("drop table roles")


def statements(session: Session, register: Register) -> tuple[str, str]:
    """What the service asks the database for the digests of a day: once, who gets one; and then the content
    of those that it sends at once."""
    find = register.connection.execute
    organisation = f"'{find('select id from certvakt.organisations').fetchone()[0]}'::uuid"
    people = [
        f"'{one}'::uuid" for (one,) in find("select person_id from certvakt.digest_settings order by 1")
    ]
    days = [f"array[{organisation}]", f"array['{session.today}'::date]"]
    begin = "set local jit = off; set local role certvakt_worker;\n"
    read = ["\\o /dev/null"]
    for first in range(0, COORDINATORS, AT_ONCE):
        asked = people[first : first + AT_ONCE]
        whose = f"array_fill({organisation}, array[{len(asked)}])"
        read.append(statement("contents", whose, f"array[{','.join(asked)}]", *days, str(MOST)))
    return begin + statement("queue", *days) + "\n", begin + "\n".join(read) + "\n"


def statement(name: str, *values: str) -> str:
    """A statement of the service, with values for its parameters."""
    text = re.sub(r"--.*", "", (STATEMENTS / f"{name}.sql").read_text(encoding="utf-8")).rstrip()
    return re.sub(r"\$(\d)", lambda place: values[int(place[1]) - 1], text) + ";"
