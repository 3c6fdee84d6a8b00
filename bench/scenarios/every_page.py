"""P23: what each page of a coordinator and of an administrator may send and read."""

import html
import re
from dataclasses import dataclass
from pathlib import Path

from bench import tables
from bench.organisations import Organisations
from bench.report import markdown_table
from bench.results import Comparison
from bench.service import Elsewhere, Service
from bench.session import Session
from bench.statements import Statement, of_caller, rows_read, transactions
from lab.certvakt import SERVICE

# Pages that a form opens, and those from which links lead to the others.
FIRST = [
    "/me",
    "/today",
    "/certifications",
    "/certifications?order=name",
    "/certifications?q=mentor+4711",
    "/certifications?q=mentor+4711&order=name",
    *(
        f"/certifications?state={state}{order}"
        for state in (
            *("renewal", "due", "expired", "lapsed", "unreachable"),
            *("declined", "valid", "suspended", "withdrawn"),
        )
        for order in ("", "&order=name")
    ),
    "/certifications/new?q=mentor+4711",
    "/contacts",
    "/changes",
    "/outlook",
    "/runs",
    "/partners",
    "/imports",
]
# Logins of one coordinator, each with a rate limit. Nobody has as many as the other benchmarks need.
LOGINS = 10
OTHERS = "delete from certvakt.{} where subject <> 'administrator' and substr(subject, 13)::int > {}"
LINK = re.compile(r"""\bhref="(/[^"]*)["]""")
SEARCH = re.compile(r"""<form class="filter" method="get" action="([^"]+)" """)
ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|(?<=/)\d+(?=/|$)")
# Each certification that these pages show is read, up to a limit of their own.
WHOLE = ("/changes/new", "/certifications/print")
NOT_PAGES = re.compile(r"\.(csv|xlsx|ics|css|svg)$|^/(assets|sign-in)/|/(export|letter)$")


@dataclass(frozen=True)
class Cost:
    """The cost of a page in the database."""

    page: str
    statements: int
    rows: int

    @property
    def is_whole(self) -> bool:
        return self.page.startswith(WHOLE)


def run(session: Session, world: Organisations) -> None:
    with tables.without_triggers(world.connection), world.connection.transaction():
        tables.play(world.connection, "every_page.sql", today=session.today)
    world.prepare()
    coordinator, administrator = costs(session, world)
    for who, found, limits in (
        ("coordinator", coordinator, ("<= 8", "<= 1000")),
        ("administrator", administrator, (None, None)),
    ):
        for unit, goal in zip(("rows", "statements"), reversed(limits), strict=True):
            worst = max((one for one in found if not one.is_whole), key=lambda one: getattr(one, unit))
            what, number = f"{who}, worst of {len(found)} pages: {worst.page}", getattr(worst, unit)
            session.comparisons.append(
                Comparison("P23", what, "", unit, number, None, None, goal, {"ours": [number]})
            )
    session.details["P23"] = table(coordinator, administrator)


def costs(session: Session, world: Organisations) -> list[list[Cost]]:
    """The costs of the pages of a coordinator and of an administrator, as the server's log records them."""
    name = world.installation.database
    with session.server.connect() as connection:
        connection.execute(f"alter database {name} set log_statement = 'all'")
        with Service(world.installation, session.folder) as service:
            for logins in ("sessions", "identities"):
                world.connection.execute(OTHERS.format(logins, LOGINS))
            found = [
                [cost(page, request, world) for page, request in opened(session, service, logins).items()]
                for logins in (service.browsers, service.administrators)
            ]
        connection.execute(f"alter database {name} reset log_statement")
    return found


def opened(session: Session, service: Service, logins: Path) -> dict[str, list[list[Statement]]]:
    """Opens every page to which links lead, each once for all ids, with the transactions of its request."""
    found, waiting, log = {}, list(FIRST), Path(session.server.log)
    # The first request of a login also fills the service's caches.
    for number in range(LOGINS):
        service.get("/me", logins, number)
    while waiting:
        path = waiting.pop(0)
        page = shape(path)
        if page in found or NOT_PAGES.search(path.partition("?")[0]):
            continue
        began = log.stat().st_size
        try:
            text = service.get(path, logins, len(found) % LOGINS).decode()
        except Elsewhere as other:
            waiting.append(other.path)
            continue
        found[page] = of_caller(transactions(log.read_bytes()[began:].decode()))
        waiting += (html.unescape(link).partition("#")[0] for link in LINK.findall(text))
        waiting += (f"{html.unescape(form)}?q=mentor+4711" for form in SEARCH.findall(text))
    session.say(f"{len(found)} pages")
    return found


def shape(path: str) -> str:
    """A path without ids, and with those values of its query that choose what the page does."""
    path, _, query = path.partition("?")
    named = (field.partition("=") for field in query.split("&") if field)
    kept = [name + (f"={value}" if re.fullmatch("[a-z_-]+", value) else "") for name, _, value in named]
    return ID.sub("{id}", path) + ("?" + "&".join(kept) if kept else "")


def cost(page: str, request: list[list[Statement]], world: Organisations) -> Cost:
    address = world.installation.server.address(SERVICE, world.installation.database)
    # Without the start and the end of a transaction.
    return Cost(page, sum(len(one) - 2 for one in request), rows_read(request, address))


def table(coordinator: list[Cost], administrator: list[Cost]) -> str:
    """The costs of each page, for both."""
    both = [{one.page: one for one in found} for found in (coordinator, administrator)]
    pages = sorted({page: None for found in both for page in found})
    rows = []
    for page in pages:
        cells = [f"`{page}`"]
        for found in both:
            one = found.get(page)
            cells += [f"{one.statements:,}", f"{one.rows:,}"] if one else ["", ""]
        rows.append(cells)
    headings = ("Page", "Coordinator, statements", "Rows", "Administrator, statements", "Rows")
    return markdown_table(headings, rows)
