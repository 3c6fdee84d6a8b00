"""python -m bench.starvation [--mentors N] [--seconds N] [--rate N]

One login of a large organisation searches at a fixed rate, with or without responses. At the same time, a
person of another organisation opens a page, and a run and its deliveries take place. Prints the time of the
page before and during the searches, and the responses and the reads of the searches. Exits with 1 if the
page takes more than three times its quiet time, if the searches exceed their rate limit, if the run or the
drain is held up, or if a connection is lost."""

import argparse
import http.client
import json
import statistics
import sys
import tempfile
import threading
import time
import urllib.parse
from collections import Counter
from datetime import datetime
from itertools import cycle
from pathlib import Path
from zoneinfo import ZoneInfo

from bench.organisations import Organisations
from bench.service import Service, token
from lab import program
from lab.postgres import Server

# Texts that match all names, some, one or none, and texts too short for the trigram index.
TEXTS = ("mentor", "a", "1", "17", "mentor 4711", "m-90", "nobody", "ø", "xq", "%")
PAGES_A_SECOND = 5
# The rate limit of a login (docs/errors.md, too-many-requests): a burst, and the same number per minute.
PACE = 600
DUE = 2_000
SETTINGS = {"shared_preload_libraries": "pg_stat_statements", "max_wal_size": "8GB"}
READ = """
select sum(calls), sum(rows), sum(shared_blks_hit + shared_blks_read)
from pg_stat_statements s where userid = 'authenticated'::regrole
"""


class Clients:
    """Clients that send requests at a fixed rate, each on its own connection."""

    def __init__(self, address: str, bearer: str, rate: float, paths):
        self.address, self.bearer, self.pause, self.paths = address, bearer, 1 / rate, paths
        self.taken: list[float] = []
        self.answers: Counter = Counter()

    def ask(self, path: str) -> None:
        began = time.monotonic()
        connection = http.client.HTTPConnection(self.address, timeout=60)
        try:
            connection.request("GET", path, headers={"authorization": f"Bearer {self.bearer}"})
            answer = connection.getresponse()
            answer.read()
            self.answers[answer.status] += 1
            if answer.status == 200:
                self.taken.append(1000 * (time.monotonic() - began))
        except OSError as error:
            self.answers[type(error).__name__] += 1
        finally:
            connection.close()

    def run(self, seconds: float) -> None:
        threads, began = [], time.monotonic()
        for number, path in enumerate(self.paths):
            time.sleep(max(0.0, began + number * self.pause - time.monotonic()))
            if time.monotonic() >= began + seconds:
                break
            threads.append(threading.Thread(target=self.ask, args=[path], daemon=True))
            threads[-1].start()
        for thread in threads:
            thread.join()

    def show(self) -> str:
        if not self.taken:
            return f"{dict(self.answers)}"
        ordered = sorted(self.taken)
        last = ordered[int(0.95 * (len(ordered) - 1))]
        middle = statistics.median(ordered)
        return f"median {middle:.1f} ms, 95 of 100 within {last:.1f} ms, {dict(self.answers)}"


def prepare(world: Organisations) -> None:
    run = world.connection.execute
    # The organisation whose member opens pages and whose notices are delivered at the same time.
    run(
        "insert into certvakt.identities (issuer, subject, person_id)"
        " select 'https://issuer.example', 'neighbour', m.person_id from certvakt.memberships m"
        " join certvakt.organisations o on o.id = m.organisation_id"
        " where o.slug = 'org-4' and m.role = 'coordinator'"
    )
    run("update certvakt.organisations set deliver_from = '00:00', deliver_until = '00:00'")
    run("create extension if not exists pg_stat_statements")
    world.prepare()


def make_due(world: Organisations, today) -> None:
    world.connection.execute(
        "update public.peer_mentor_certifications set expires_at = %s::date + interval '6 days' where id in ("
        " select c.id from public.peer_mentor_certifications c"
        " join certvakt.organisations o on o.id = c.organisation_id"
        " where o.slug = 'org-5' limit %s)",
        [today, DUE],
    )


def measure(options: argparse.Namespace) -> bool:
    today = datetime.now(ZoneInfo("Europe/Oslo")).date()
    with Server(SETTINGS) as server, tempfile.TemporaryDirectory() as folder:
        print(f"generating {options.mentors:,} certifications of 20 organisations", file=sys.stderr)
        world = Organisations(server, "starvation", options.mentors, today)
        prepare(world)
        service = Service(world.installation, Path(folder))
        text = service.config.read_text().replace("channels = []", 'channels = ["file"]')
        service.config.write_text(f'{text}[file]\npath = "{folder}/notices.jsonl"\n')
        with service:
            page = cycle(["/api/v1/certifications"])
            quiet = Clients(service.address, token("neighbour"), PAGES_A_SECOND, page)
            quiet.run(options.seconds)
            make_due(world, today)
            world.connection.execute("select pg_stat_statements_reset()")
            search = (f"/api/v1/certifications?q={urllib.parse.quote(text)}" for text in cycle(TEXTS))
            attack = Clients(service.address, token("administrator"), options.rate, search)
            attacking = threading.Thread(target=attack.run, args=[options.seconds])
            attacking.start()
            ran = json.loads(world.installation.run(["run", "--approve", "--output", "json"]))
            during = Clients(service.address, token("neighbour"), PAGES_A_SECOND, page)
            during.run(max(1.0, options.seconds - 5))
            attacking.join()
            calls, rows, pages = (int(one) for one in world.connection.execute(READ).fetchone())
            counted = "select count(*) filter (where state = 'delivered'), count(*) from certvakt.deliveries"
            delivered, recorded = world.connection.execute(counted).fetchone()
        lost = [line for line in service.log.read_text().splitlines() if "database-" in line]
    ratio = statistics.median(during.taken) / statistics.median(quiet.taken)
    # A burst, plus the rate in the meantime; each answered search is a page of fifty and one more.
    allowed = PACE + PACE * options.seconds / 60 + 2
    answered = attack.answers[200]
    print(f"another tenant's page, quiet:     {quiet.show()}")
    print(f"another tenant's page, meanwhile: {during.show()}; {ratio:.2f} times as long")
    print(f"{options.rate:g} searches a second:            {attack.show()}")
    print(f"read as people, all together:   {calls:,} statements, {rows:,} rows answered, {pages:,} pages")
    print(
        f"the run recorded {recorded:,} of {DUE:,}, of which {delivered:,} are delivered;"
        f" it said {ran['runs'][0]['state']}"
    )
    print(f"lost connections:               {len(lost)}")
    good = {
        "the page takes at most three times its quiet time": ratio <= 3,
        "every page was answered": set(during.answers) == {200},
        "the searches keep to their pace": answered <= allowed
        and rows <= 60 * (answered + len(during.taken)),
        "the run and the drain were not held up": recorded == delivered == DUE,
        "no connection was lost": not lost,
    }
    for what, holds in good.items():
        print(f"{'yes' if holds else 'NO ':<4}{what}")
    return all(good.values())


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.starvation", description=__doc__)
    parser.add_argument("--mentors", type=program.at_least_one, default=200_000)
    parser.add_argument("--seconds", type=program.at_least_one, default=30)
    parser.add_argument("--rate", type=program.at_least_one, default=40, help="searches a second")
    return 0 if measure(parser.parse_args()) else 1


if __name__ == "__main__":
    program.run(main)
