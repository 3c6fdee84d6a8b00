"""P7 to P9: a drain through the push channel, against the same requests alone and against job queues."""

import json
from contextlib import nullcontext
from pathlib import Path

from bench import peers
from bench.measure import expect
from bench.register import Register
from bench.session import Session
from bench.tables import ATTEMPTS, CERTIFICATIONS, DELIVERIES
from lab.stand_in import StandIn

DRAIN = "certvakt work --drain"
HELD = "certvakt work --drain, a transaction held open"
FLOOR = "bare reqwest loop"
NODE = "Graphile Worker (Node)"
RUST = "graphile_worker (Rust)"


def run_all(session: Session) -> None:
    register, due = session.due, session.sizes.due
    register.remember_run()
    messages, jobs = session.folder / "messages.jsonl", session.folder / "jobs.jsonl"
    with StandIn() as service:
        register.installation.run(drain_command(service))
        expect("messages", write_messages(service, messages, jobs), due)
    for _ in session.each_round("delivering"):
        drain(session, register, DRAIN, due)
        if session.wants("P7"):
            with StandIn() as service:
                register.connection.execute("checkpoint")
                session.record(FLOOR, peers.bare_loop(service, messages))
                taken(service, due)
        if session.wants("P9"):
            drain(session, register, HELD, due, is_held=True)
        if session.wants("P8"):
            work(session, "node", NODE, jobs)
            work(session, "rust", RUST, jobs)
    if session.wants("P7"):
        session.rates("P7", DRAIN, (DRAIN, due), (FLOOR, due), ">= 0.45")
    if session.wants("P8"):
        session.rates("P8", DRAIN, (DRAIN, due), (NODE, due), ">= 2")
        session.rates("P8", DRAIN, (DRAIN, due), (RUST, due), ">= 1.2")
    if session.wants("P9"):
        session.rates("P9", HELD, (HELD, due), (DRAIN, due), ">= 0.8")
    register.delete_runs()


def drain_command(service: StandIn) -> list:
    """A drain without the default rate limit, because the provider's quota is not measured here."""
    delivery = f"concurrency = {peers.CONCURRENCY}"
    fcm = f"connections = {peers.CONNECTIONS}\nmessages_per_minute = 60_000_000"
    return ["work", "--drain", "--config", str(service.config(delivery, fcm))]


def drain(session: Session, register: Register, name: str, due: int, is_held: bool = False) -> None:
    """Delivers all pending deliveries, and checks that each outcome is recorded."""
    register.restore_deliveries()
    register.prepare(DELIVERIES, ATTEMPTS)
    with StandIn() as service, held_snapshot(register) if is_held else nullcontext():
        session.certvakt(name, register, drain_command(service))
        taken(service, due)
    expect("deliveries delivered", register.count(DELIVERIES, "state = 'delivered'"), due)
    expect("attempts that delivered", register.count(ATTEMPTS, "outcome = 'delivered'"), due)


def held_snapshot(register: Register):
    """Another session with an open snapshot, which prevents the removal of dead rows."""
    installation = register.installation
    other = installation.server.connect(installation.database)
    other.execute("begin isolation level repeatable read")
    other.execute(f"select count(*) from {CERTIFICATIONS}")
    return other


def work(session: Session, peer: str, name: str, jobs: Path) -> None:
    session.peers.clear(peer)
    session.peers.add(peer, jobs)
    session.peers.prepare(peer)
    due = session.sizes.due
    expect("jobs before", session.peers.left(peer), due)
    with StandIn() as service:
        session.record(name, session.peers.work(peer, service, due))
        taken(service, due)
    expect("jobs left", session.peers.left(peer), 0)


def taken(service: StandIn, due: int) -> None:
    """Checks that the service accepted each message once."""
    with service.record.open("rb") as record:
        expect("messages that the service took", sum(1 for _ in record), due)


def write_messages(service: StandIn, messages: Path, jobs: Path) -> int:
    """Writes the bodies that certvakt sent, as requests and as jobs. Returns their number."""
    number = 0
    with (
        service.record.open(encoding="utf-8") as record,
        messages.open("w", encoding="utf-8") as bodies,
        jobs.open("w", encoding="utf-8") as payloads,
    ):
        for number, line in enumerate(record, 1):  # noqa: B007 - counted
            body = {"message": json.loads(line)["message"]}
            bodies.write(json.dumps(body, separators=(",", ":"), ensure_ascii=False) + "\n")
            payloads.write(json.dumps({"payload": body}, ensure_ascii=False) + "\n")
    return number
