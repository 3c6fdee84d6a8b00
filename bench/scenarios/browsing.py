"""P18, P19 and P23: pages in a coordinator's browser, against their own statements in pgbench."""

from pathlib import Path

from bench import tables
from bench.measure import Wrong
from bench.organisations import Organisations
from bench.results import Comparison, compare
from bench.scenarios import every_page
from bench.service import Service
from bench.session import Session
from bench.statements import Statement, of_caller, rows_read, transactions
from lab.certvakt import SERVICE

PAGES = {"P18": ("Today", "/today"), "P19": ("the list of certifications", "/certifications")}
# Some expire within a month before or after today. One in thirty-three of their mentors cannot be reached.
# Each has a phone number.
DUE = f"""
with due as (
  update {tables.CERTIFICATIONS} set expires_at = expires_at - interval '430 days'
  where expires_at < date '{{today}}' + interval '460 days'
  returning peer_mentor_id, external_id
)
insert into {tables.CONTACT_POINTS} (person_id, kind, address)
select peer_mentor_id, 'email', external_id || '@example.org' from due where hashtext(external_id) % 33 <> 0
union all
select peer_mentor_id, 'phone', '+4712345678' from due
"""


def run_all(session: Session) -> None:
    number = session.sizes.certifications
    session.say(f"generating {number:,} certifications of 20 organisations, some of them due")
    world = Organisations(session.server, "browsing", number, session.today)
    with tables.without_triggers(world.connection):
        world.connection.execute(DUE.format(today=session.today))
    world.prepare()
    world.installation.run(["run", "--approve"])
    world.prepare()
    wanted = {id_: page for id_, page in PAGES.items() if session.wants(id_)}
    found = {path: transactions_of(session, world, path) for _, path in wanted.values()}
    times = {id_: ([], []) for id_ in wanted}
    with Service(world.installation, session.folder) as service:
        for _ in session.each_round("pages of a browser"):
            for id_, (name, path) in wanted.items():
                ours, other = times[id_]
                ours.append(1000 / service.load(path, service.browsers, 1, session.sizes.seconds))
                other.append(world.pgbench_all(found[path], session.folder, session.sizes.seconds))
                session.say(f"{name}: {ours[-1]:.3f} ms, its statements {other[-1]:.3f} ms")
    for id_, (name, path) in wanted.items():
        session.comparisons.append(
            compare((id_, name, "its statements by pgbench"), "ms", *times[id_], "<= 1.5")
        )
        session.comparisons += limits(id_, name, found[path], world)
    if session.wants("P23"):
        every_page.run(session, world)
    session.server.connect().execute("drop database browsing with (force)")


def transactions_of(session: Session, world: Organisations, path: str) -> list[list[Statement]]:
    """The transactions of a request, from the server's log."""
    name, log = world.installation.database, Path(session.server.log)
    with session.server.connect() as connection:
        connection.execute(f"alter database {name} set log_statement = 'all'")
        with Service(world.installation, session.folder) as service:
            # The first request of a service also fills its caches.
            service.get(path, service.browsers)
            began = log.stat().st_size
            service.get(path, service.browsers)
            text = log.read_bytes()[began:].decode()
        connection.execute(f"alter database {name} reset log_statement")
    found = transactions(text)
    if not of_caller(found):
        raise Wrong(f"{path} sent no statements:\n{text}")
    return found


def limits(id_: str, name: str, found: list[list[Statement]], world: Organisations) -> list[Comparison]:
    """What a page may send and read, whatever the size of the tables."""
    # Without the start and the end of a transaction.
    number = sum(len(one) - 2 for one in of_caller(found))
    address = world.installation.server.address(SERVICE, world.installation.database)
    rows = rows_read(of_caller(found), address)
    counts = ((number, "statements", "<= 8"), (rows, "rows", "<= 1000"))
    return [
        Comparison(id_, f"{name}, {unit}", "", unit, count, None, None, goal, {"ours": [count]})
        for count, unit, goal in counts
    ]
