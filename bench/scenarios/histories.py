"""P15 and P16: the cost of long histories for a page, and the speed of moving histories to rows."""

from bench import floors, histories, tables
from bench.measure import expect
from bench.organisations import ELSEWHERE, ROWS, Organisations, first_page
from bench.register import FAR_AHEAD, Register
from bench.results import compare
from bench.scenarios.pages import COORDINATOR, OURS, timed
from bench.session import Session
from bench.tables import CERTIFICATIONS, EVENTS

SHORT, LONG = 5, 500
NORMALISE, FLOOR = "certvakt history normalise", "psql, bare insert of the elements"
# Many certifications; the shortest history that is also written to the certification, which holds at most
# 200 entries; and long histories.
LENGTHS = (10, 201, 500)
COPY = tables.copy_of(EVENTS, "bare")
ELEMENTS = f"""
insert into {COPY} (certification_id, number, entry)
select c.id, e.number, e.entry
from {CERTIFICATIONS} c, jsonb_array_elements(c.renewal_history) with ordinality e (entry, number);
"""


def run_all(session: Session) -> None:
    if session.wants("P15"):
        beside_short(session)
    if session.wants("P16"):
        register = Register(session.server, "histories", session.today)
        register.connection.execute("create schema bare")
        register.connection.execute(f"create table {COPY} (like {EVENTS} including all)")
        for entries in LENGTHS:
            beside_elements(session, register, entries)
        session.server.connect().execute("drop database histories with (force)")


def beside_short(session: Session) -> None:
    worlds = {entries: world_of(session, entries) for entries in (SHORT, LONG)}
    page = first_page()
    pages = [[row[0] for row in world.rows(page, COORDINATOR)] for world in worlds.values()]
    expect(f"certifications on {OURS}", len(pages[0]), ROWS)
    expect(f"{OURS} is the same", pages[0] == pages[1], True)
    names = {entries: f"{OURS}, {entries} entries each" for entries in worlds}
    times = {entries: [] for entries in worlds}
    for _ in session.each_round("pages with histories"):
        for entries, world in worlds.items():
            options = (page, session.folder, "-t", "1000")
            timed(session, world, times[entries], names[entries], *options, who=COORDINATOR)
    compared = ("P15", names[LONG], names[SHORT])
    session.comparisons.append(compare(compared, "ms", times[LONG], times[SHORT], "<= 1.1"))
    for world in worlds.values():
        session.server.connect().execute(f"drop database {world.installation.database} with (force)")


def world_of(session: Session, entries: int) -> Organisations:
    """A database that differs from the other only in the histories of the coordinator's certifications."""
    number = session.sizes.listed
    session.say(f"generating {number:,} certifications, a coordinator's with {entries} entries each")
    world = Organisations(session.server, f"entries_{entries}", number, session.today)
    its_own = f"c.chapter_id = any ('{world.chapters(COORDINATOR)}')"
    histories.make(world.connection, entries, its_own)
    histories.restore(world.connection)
    with tables.without_triggers(world.connection):
        world.connection.execute(ELSEWHERE)
    world.prepare()
    renewed = tables.count(world.connection, f"{CERTIFICATIONS} c", its_own)
    histories.check(world.installation, renewed, renewed * entries)
    return world


def beside_elements(session: Session, register: Register, entries: int) -> None:
    certifications = session.sizes.entries // entries
    total = certifications * entries
    session.say(f"generating {certifications:,} certifications with {entries} entries each")
    register.fill(certifications, 0, [], FAR_AHEAD)
    histories.make(register.connection, entries, "true")
    ours, floor = f"{NORMALISE}, {entries} each", f"{FLOOR}, {entries} each"
    for _ in session.each_round("moving histories to rows"):
        histories.restore(register.connection)
        register.prepare(CERTIFICATIONS)
        # Before the move, because afterwards a certification holds only the newest twenty entries.
        floors.prepare(register, [EVENTS])
        session.record(floor, floors.psql(register, ELEMENTS, session.folder))
        expect(f"rows in {COPY}", register.count(COPY), total)
        register.prepare(EVENTS)
        session.certvakt(ours, register, ["history", "normalise", "--organisation", "org"])
        expect(f"rows in {EVENTS}", register.count(EVENTS), total)
    register.installation.run(["history", "check"])
    histories.check(register.installation, certifications, total)
    session.rates("P16", f"entries by {ours}", (ours, total), (floor, total), ">= 0.3")
