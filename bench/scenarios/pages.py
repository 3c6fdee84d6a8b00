"""P12 to P14: a coordinator's first page, against the same page by a hand-written query, against a textbook
policy, and served by the API."""

from bench import tables
from bench.measure import expect
from bench.organisations import ROWS, Organisations, first_page
from bench.results import compare
from bench.service import LIST, Service
from bench.session import Session

COORDINATOR, ADMINISTRATOR = "coordinator-1", "administrator"
OURS, LARGE = "a coordinator's first page", "an administrator's first page"
BY_HAND = ", hand-written and without policies"
PREPARED = ", prepared once"
TREE = "the page behind a textbook policy, up the tree"
FLAT = "the page behind a textbook policy, without a tree"
# A textbook app's page, without names.
TEXTBOOK_PAGE = """
select id, organisation_id, chapter_id, peer_mentor_id, certification_type, external_id, issued_at,
  expires_at, status, updated_at
from textbook.{table} where {only} order by expires_at, id limit 51
"""
API, DATABASE = "first pages by the API", "the page's statement by pgbench"
CONNECTIONS = 4


def run_all(session: Session) -> None:
    number = session.sizes.certifications
    session.say(f"generating {number:,} certifications of 20 organisations")
    world = Organisations(session.server, "pages", number, session.today)
    if session.wants("P12"):
        beside_by_hand(session, world)
    if session.wants("P14"):
        served(session, world)
    if session.wants("P13"):
        beside_textbook(session, world)
    session.server.connect().execute("drop database pages with (force)")


def timed(session: Session, world: Organisations, taken: list, name: str, *arguments, **asking) -> None:
    """Adds the milliseconds of a statement to a list."""
    taken.append(world.pgbench(*arguments, **asking))
    session.say(f"{name}: {taken[-1]:.3f} ms")


def beside_by_hand(session: Session, world: Organisations) -> None:
    page = first_page()
    cases = []
    for what, who in ((OURS, COORDINATOR), (LARGE, ADMINISTRATOR)):
        by_hand = world.by_hand(who)
        found = world.rows(page, who)
        expect(f"certifications on {what}", len(found), ROWS)
        expect(f"{what}{BY_HAND} is the same", world.rows(by_hand) == found, True)
        cases.append((what, who, by_hand, (), "<= 1.15" if what == OURS else None))
    what, who, by_hand, _, _ = cases[0]
    cases.append((what + PREPARED, who, by_hand, ("-M", "prepared"), None))
    times = [([], []) for _ in cases]
    for _ in session.each_round("pages"):
        for (what, who, by_hand, options, _), (ours, other) in zip(cases, times, strict=True):
            often = ("-t", "1000", *options)
            timed(session, world, ours, what, page, session.folder, *often, who=who)
            timed(session, world, other, what + BY_HAND, by_hand, session.folder, *often)
    for (what, _, _, _, goal), (ours, other) in zip(cases, times, strict=True):
        session.comparisons.append(compare(("P12", what, what + BY_HAND), "ms", ours, other, goal))


def beside_textbook(session: Session, world: Organisations) -> None:
    tables.play(world.connection, "textbook.sql")
    world.prepare()
    page = first_page()
    coordinator = world.person(COORDINATOR)
    # The check before the measurement covers only the coordinator's chapters, because it would otherwise
    # take minutes.
    its_own = f"chapter_id = any ('{world.chapters(COORDINATOR)}')"
    pages = {}
    for name, table in ((TREE, "certifications"), (FLAT, "flat_certifications")):
        check = TEXTBOOK_PAGE.format(table=table, only=its_own)
        expect(f"certifications on {name}", len(world.rows(check, coordinator)), ROWS)
        pages[name] = TEXTBOOK_PAGE.format(table=table, only="true")
    ours, others = [], {name: [] for name in pages}
    for number in session.each_round("textbook policies"):
        timed(session, world, ours, OURS, page, session.folder, "-t", "1000", who=COORDINATOR)
        for name, statement in pages.items():
            # With the tree it takes minutes, so one measurement is enough.
            if name == TREE and number > 1:
                continue
            timed(session, world, others[name], name, statement, session.folder, "-t", "1", who=coordinator)
    for name, taken in others.items():
        session.comparisons.append(compare(("P13", OURS, name), "ms", ours, taken, "<= 0.01"))


def served(session: Session, world: Organisations) -> None:
    page = first_page()
    ours, other = [], []
    with Service(world.installation, session.folder) as service:
        # Warm up plans and caches on both sides.
        service.load(LIST, service.clients, CONNECTIONS, 2)
        for _ in session.each_round("serving pages"):
            ours.append(service.load(LIST, service.clients, CONNECTIONS, session.sizes.seconds))
            session.say(f"{API}: {ours[-1]:,.0f} a second")
            options = ["-c", str(CONNECTIONS), "-j", "1", "-T", str(session.sizes.seconds)]
            milliseconds = world.pgbench(page, session.folder, *options, who=COORDINATOR)
            other.append(CONNECTIONS * 1000 / milliseconds)
            session.say(f"{DATABASE}: {other[-1]:,.0f} a second")
    session.comparisons.append(compare(("P14", API, DATABASE), "1/s", ours, other, ">= 0.5"))
