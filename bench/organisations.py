"""A database with twenty organisations, each with a tree of chapters, and the callers who request pages."""

import json
import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path

from bench import tables
from bench.measure import Wrong, expect
from bench.statements import Statement, script
from lab.certvakt import ROOT, SERVICE, Installation
from lab.postgres import Server, programs

ISSUER, LOGINS = "https://issuer.example", 2_000
PAGE = ROOT / "crates/store/src/caller/page.sql"
# The API's parameters for a first page, in order: fifty rows and one more, no filter.
ROWS = 51
FIRST = [
    str(ROWS),
    "'-infinity'",
    "'00000000-0000-0000-0000-000000000000'",
    *["null"] * 5,
    "'infinity'",
    "null",
    "null",
]
# The places in page.sql that depend on the caller and read the rows, with a hand-written replacement for
# each.
LOOKS = "certvakt.visible_chapters()"
DETAILS = (
    "certvakt.certification_details(array(select f.id from of_chapters f)"
    " || array(select f.id from of_suspended f)\n"
    "  || array(select f.id from of_untold f) || coalesce((select ids from of_text), '{}'), true) c"
)
DETAILS_BY_HAND = """(
  select c.id, c.organisation_id, c.chapter_id,
    (select h.name from certvakt.chapters h where h.id = c.chapter_id) as chapter,
    c.peer_mentor_id as mentor_id,
    coalesce(
      (select n.name from certvakt.person_names n
        where n.person_id = c.peer_mentor_id and n.organisation_id = c.organisation_id),
      (select p.name from certvakt.people p where p.id = c.peer_mentor_id)) as mentor,
    case when exists (
        select from certvakt.person_names n
        where n.person_id = c.peer_mentor_id and n.organisation_id = c.organisation_id and n.name is not null)
      then (select n.family_name from certvakt.person_names n
        where n.person_id = c.peer_mentor_id and n.organisation_id = c.organisation_id)
      else (select p.family_name from certvakt.people p where p.id = c.peer_mentor_id) end as family_name,
    (select p.erased_at is not null from certvakt.people p where p.id = c.peer_mentor_id) as is_mentor_erased,
    c.certification_type as type_code,
    (select t.name from certvakt.certification_types t
      where t.organisation_id = c.organisation_id and t.code = c.certification_type) as type_name,
    c.external_id, c.issued_at, c.expires_at, c.status, c.suspended_until,
    c.status = 'suspended' and coalesce(c.renewal_history -> -1 ->> 'kind' = 'withdrawn', false)
      as is_withdrawn,
    c.chapter_id = any ('{chapters}'::uuid[]) as is_managed, c.updated_at, o.time_zone,
    o.expired_grace_days,
    coalesce(
      (select t.lead_times from certvakt.certification_types t
        where t.organisation_id = c.organisation_id and t.code = c.certification_type),
      o.lead_times) as lead_times
  from public.peer_mentor_certifications c
  join certvakt.organisations o on o.id = c.organisation_id
  where c.id = any (array(select f.id from of_chapters f) || '{others}'::uuid[])
) c
"""
# The rows that are visible for another reason than their chapter.
OTHERS = """
select (certvakt.visible_elsewhere() || array(
  select id from public.peer_mentor_certifications
  where peer_mentor_id = (select certvakt.current_person())))::text
"""
# Mentors who belong to another chapter of the organisation that certified them.
ELSEWHERE = """
insert into certvakt.certifications_elsewhere (chapter_id, certification_id, person_id)
select m.chapter_id, c.id, m.person_id
from certvakt.memberships m join public.peer_mentor_certifications c on c.peer_mentor_id = m.person_id
where m.chapter_id <> c.chapter_id
"""


def first_page() -> str:
    """The product's statement, with its parameters as literals."""
    text = re.sub(r"--.*", "", PAGE.read_text(encoding="utf-8"))
    return re.sub(r"\$(\d+)", lambda found: FIRST[int(found[1]) - 1], text)


class Organisations:
    def __init__(self, server: Server, database: str, mentors: int, today: date):
        self.installation = Installation(server, database).create()
        self.connection = server.connect(database)
        values = {"mentors": mentors, "stride": 618_033, "today": today, "logins": LOGINS}
        filled = ["certvakt.people", "certvakt.memberships", tables.CERTIFICATIONS]
        with tables.without_triggers(self.connection):
            with tables.without_indexes(self.connection, filled):
                tables.play(self.connection, "organisations.sql", **values)
            # Includes the indexes.
            self.connection.execute(ELSEWHERE)
        self.prepare()

    def prepare(self) -> None:
        self.connection.execute("vacuum (analyze)")
        self.connection.execute("checkpoint")

    @contextmanager
    def asking(self, who: str) -> Iterator[None]:
        """Acts as a person, with the policies applied."""
        run = self.connection.execute
        with self.connection.transaction():
            run("set local role authenticated")
            run("select set_config('request.jwt.claims', %s, true)", [self.claims(who)])
            yield

    def person(self, who: str) -> str:
        """The id of a login's person."""
        with self.asking(who):
            return str(self.connection.execute("select certvakt.current_person()").fetchone()[0])

    def chapters(self, who: str) -> str:
        """The chapters that a person sees, as an SQL array."""
        with self.asking(who):
            return self.connection.execute("select certvakt.visible_chapters()::text").fetchone()[0]

    @staticmethod
    def claims(who: str) -> str:
        return json.dumps({"iss": ISSUER, "sub": who}, separators=(",", ":"))

    def by_hand(self, who: str) -> str:
        """The first page with a hand-written filter, for a connection that bypasses the policies."""
        with self.asking(who):
            others = self.connection.execute(OTHERS).fetchone()[0]
        text = first_page()
        chapters = self.chapters(who)
        details = DETAILS_BY_HAND.replace("{others}", others).replace("{chapters}", chapters)
        looks = f"'{chapters}'::uuid[]"
        for place, instead in ((LOOKS, looks), (DETAILS, details)):
            expect(f"places of {place} in {PAGE.name}", text.count(place), 1)
            text = text.replace(place, instead)
        return text

    def rows(self, statement: str, who: str | None = None) -> list[tuple]:
        """The rows of a statement, as a person or as superuser."""
        if who is None:
            return self.connection.execute(statement).fetchall()
        with self.asking(who):
            return self.connection.execute(statement).fetchall()

    def pgbench(self, statement: str, folder: Path, *options: str, who: str | None = None) -> float:
        """Runs a statement repeatedly, as a person or as superuser; it is sent and planned each time, as
        the API does. Returns the milliseconds of each execution. The caller is set when the connection
        opens, so that only the statement is timed."""
        text = re.sub(r"\s+", " ", statement).strip() + ";\n"
        settings = ["jit=off", "timezone=UTC"]
        login = "postgres"
        if who is not None:
            login = SERVICE
            settings += ["role=authenticated", f"request.jwt.claims={self.claims(who)}"]
        return self.run_pgbench(text, folder, login, settings, "-M", "extended", *options)

    def pgbench_all(self, request: list[list[Statement]], folder: Path, seconds: int) -> float:
        """Runs the transactions of a request repeatedly, on one connection of the service. Returns the
        milliseconds of each execution."""
        return self.run_pgbench(script(request), folder, SERVICE, [], "-M", "simple", "-T", str(seconds))

    def run_pgbench(self, text: str, folder: Path, login: str, settings: list[str], *options: str) -> float:
        file = folder / "script.sql"
        file.write_text(text, encoding="utf-8")
        environment = self.installation.environment() | {
            "PGOPTIONS": " ".join(f"-c {setting}" for setting in settings)
        }
        address = self.installation.server.address(login, self.installation.database)
        command = [programs() / "pgbench", "-n", *options, "-f", file, address]
        done = subprocess.run(command, check=False, capture_output=True, text=True, env=environment)
        found = re.search(r"latency average = ([\d.]+) ms", done.stdout)
        if done.returncode != 0 or not found:
            raise Wrong(f"pgbench ended with {done.returncode}:\n{done.stdout}{done.stderr}")
        return float(found[1])
