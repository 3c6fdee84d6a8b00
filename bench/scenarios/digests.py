"""P24: the nightly run with the digests of the morning after it, against the run alone."""

import re

from bench import floors, tables
from bench.measure import expect
from bench.register import FAR_AHEAD, IN_A_STAGE, Register
from bench.scenarios.recording import first_run
from bench.session import Session
from bench.tables import CERTIFICATIONS, CONTACT_POINTS, DELIVERIES, LOG, PEOPLE
from lab.certvakt import ROOT

WITH, ALONE = "certvakt run and the digests of 500 coordinators", "certvakt run, 500 chapters"
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
    register.prepare(CERTIFICATIONS, PEOPLE, CONTACT_POINTS, "certvakt.memberships", "certvakt.chapters")
    script = digests(session, register)
    seconds = session.samples.seconds
    for _ in session.each_round("digests"):
        tables.truncate(register.connection, DIGESTS, DAYS, QUEUE)
        first_run(session, register, ALONE)
        register.prepare(DELIVERIES, LOG)
        made = floors.psql(register, script, session.folder)
        session.record(WITH, made, seconds[ALONE][-1] + made.seconds)
        expect("digests", register.count(DIGESTS, "kind = 'daily'"), COORDINATORS)
    session.times("P24", WITH, WITH, ALONE, "<= 1.1")
    session.server.connect().execute("drop database digests with (force)")


def digests(session: Session, register: Register) -> str:
    """What the service asks the database for the digests of a day: who gets one, and the content of those
    that it sends at once."""
    find = register.connection.execute
    organisation = f"'{find('select id from certvakt.organisations').fetchone()[0]}'::uuid"
    people = [
        f"'{one}'::uuid" for (one,) in find("select person_id from certvakt.digest_settings order by 1")
    ]
    days = [f"array[{organisation}]", f"array['{session.today}'::date]"]
    script = [
        "set local jit = off; set local role certvakt_worker;",
        statement("queue", *days),
        "\\o /dev/null",
    ]
    for first in range(0, COORDINATORS, AT_ONCE):
        asked = people[first : first + AT_ONCE]
        whose = f"array_fill({organisation}, array[{len(asked)}])"
        script.append(statement("contents", whose, f"array[{','.join(asked)}]", *days, str(MOST)))
    return "\n".join(script) + "\n"


def statement(name: str, *values: str) -> str:
    """A statement of the service, with values for its parameters."""
    text = re.sub(r"--.*", "", (STATEMENTS / f"{name}.sql").read_text(encoding="utf-8")).rstrip()
    return re.sub(r"\$(\d)", lambda place: values[int(place[1]) - 1], text) + ";"
