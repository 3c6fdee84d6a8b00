"""Plays one round: starts the programs of each phase, injects the faults of the plan, waits until
everything is finished, and collects the facts."""

from __future__ import annotations

import contextlib
import json
import shutil
import signal
import tempfile
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from pathlib import Path
from uuid import UUID

import psycopg

from lab.certvakt import ROOT, Installation
from lab.postgres import Server
from lab.stand_in import StandIn
from torture import faults, ledger
from torture.app import App
from torture.calendar import scheduled
from torture.disk import Disk
from torture.facts import LEASE, TIMEOUT, Facts, Message, Window
from torture.partner import Partner
from torture.portal import PortalProcess
from torture.program import CHECKS, Program, renewals
from torture.proxy import Proxy
from torture.reader import Reader
from torture.world import Change, Phase, Plan

# Small, so that crashes and full disks happen quickly; the settings for writes are PostgreSQL's defaults.
SETTINGS = {"shared_buffers": "32MB", "max_wal_size": "64MB", "min_wal_size": "32MB"}
# Seconds in which a program must end without faults.
PATIENCE = 30
TEMPLATE = "template_certvakt"


class Lane:
    """A separate server, stand-in and proxy, on which rounds are played one after the other."""

    def __init__(self):
        # The number of injected faults of each kind, and of programs that they ended.
        self.injected: Counter[str] = Counter()
        self.ended: Counter[str] = Counter()
        self._stack = contextlib.ExitStack()

    def __enter__(self) -> Lane:
        with contextlib.ExitStack() as stack:
            self.folder = Path(tempfile.mkdtemp(prefix="certvakt-torture."))
            stack.callback(shutil.rmtree, self.folder, ignore_errors=True)
            self.folder.chmod(0o711)
            self.disk = stack.enter_context(Disk(self.folder))
            self.server = stack.enter_context(Server(SETTINGS, self.disk.data / "data"))
            self.stand_in = stack.enter_context(
                StandIn("--late-seconds", str(LEASE + 0.5), "--retry-after-seconds", "1")
            )
            self.portal = stack.enter_context(PortalProcess(self.folder))
            self.proxy = stack.enter_context(Proxy(self.server.port))
            Installation(self.server, TEMPLATE).create(rehearsal=True)
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *_) -> None:
        self._stack.close()

    def play(self, plan: Plan, number: int) -> Facts:
        """A round from its plan to its facts."""
        return Round(self, plan, number).play()

    def keep(self, number: int) -> Path:
        """Saves the output of a round with a violation."""
        kept = ROOT / "target" / "torture" / f"round-{number}"
        shutil.rmtree(kept, ignore_errors=True)
        kept.mkdir(parents=True)
        shutil.copy(self.server.log, kept)
        shutil.copy(self.stand_in.record, kept)
        for said in self.folder.glob("*.err"):
            shutil.copy(said, kept)
        return kept


class Round:
    def __init__(self, lane: Lane, plan: Plan, number: int):
        self.lane, self.plan, self.number = lane, plan, number
        self.installation = Installation(lane.server, f"round_{number}")
        self.app = App(self.installation, plan.isolation)
        self.reader = Reader(self.installation)
        # The app writes while the programs run.
        self.beside = ThreadPoolExecutor(1)
        self.programs: list[Program] = []
        self.windows: list[Window] = []
        self.logs = []
        self.kept = []
        self.overdue: list[str] = []
        delivery = (
            f"lease_seconds = {LEASE}\ntimeout_seconds = {TIMEOUT}\npoll_seconds = 1\n"
            f"batch = {plan.batch}\nconcurrency = {plan.concurrency}"
        )
        self.config = lane.stand_in.config(delivery)
        with self.config.open("a", encoding="utf-8") as config:
            config.write('[serve]\nlisten = "127.0.0.1:0"\n')
            if plan.has_partner:
                config.write(lane.portal.config)
        self.partner = Partner(self.installation, lane.portal, self.config) if plan.has_partner else None

    def play(self) -> Facts:
        for said in self.lane.folder.glob("*.err"):
            said.unlink()
        with self.lane.server.connect() as connection:
            connection.execute(
                f"create database {self.installation.database} template {TEMPLATE} owner certvakt_owner"
            )
        self.first_byte = self.lane.stand_in.record.stat().st_size
        try:
            self.installation.with_organisation(zone=self.plan.zone.key)
            if self.partner:
                self.partner.set_up(self.plan.keys)
            self.app.now = self.plan.phases[0].now
            self.app.register(self.plan.mentors)
            if self.plan.crowd:
                self.installation.run(["organisation", "set", "org", "--limit-floor", "1000000"])
                self.app.register_crowd(self.plan.crowd, self.plan.crowd_expires_at)
            for phase in self.plan.phases:
                reading = "normalise" in phase.programs
                with self.reader.reading() if reading else contextlib.nullcontext():
                    self.phase(phase)
            return self.calm()
        finally:
            self.beside.shutdown()
            self.app.close()
            for program in self.programs:
                program.send(signal.SIGKILL)
                program.wait(5)
            with self.lane.server.connect() as connection:
                connection.execute(f"drop database if exists {self.installation.database} with (force)")

    def start(self, kind: str, now: datetime, through_proxy: bool = False) -> Program:
        server = self.lane.server.address("certvakt_service", self.installation.database)
        address = server.replace(f":{self.lane.server.port}/", f":{self.lane.proxy.port}/")
        errors = self.lane.folder / f"{len(self.programs)}-{kind}.err"
        program = Program(
            kind,
            self.installation,
            now,
            config=self.config,
            address=address if through_proxy else None,
            errors=errors,
        )
        self.programs.append(program)
        return program

    def phase(self, phase: Phase) -> None:
        fault = phase.fault if phase.programs else None
        by_line = fault is not None and fault.kind in faults.LINES
        before = len(self.programs)
        stage = faults.Stage(
            self.lane.server, self.lane.disk, self.lane.proxy, self.installation.database, [],
            lambda kind: self.start(kind, phase.now),
        )  # fmt: skip
        self.app.now = phase.now
        if phase.renewals:
            self.write_renewals(phase.renewals)
        if self.partner:
            self.partner.begin(self.app.connection(), phase.portal)
        armed = time.time()
        if fault:
            faults.arm(fault, stage, phase.programs)
        stage.programs += [self.start(kind, phase.now, by_line) for kind in phase.programs]
        changing = self.beside.submit(self.change, phase)
        if fault:
            if fault.kind not in faults.ARMED:
                time.sleep(fault.after)
            self.windows.append(faults.inject(fault, stage, armed))
        changing.result()
        if self.partner:
            self.partner.let_go()
        programs = self.programs[before:]
        self.end(programs, phase, undisturbed=fault is None)
        if fault:
            for program in programs:
                program.life.disturbed = True
            self.lane.injected[fault.kind] += 1
            self.lane.ended[fault.kind] += any(program.life.status != 0 for program in programs)
        if phase.renewals:
            # Changes that were made are found by their rows; make the others now.
            self.must("renew", phase.now)
            self.app.note(phase.renewals, programs[0].life.start, time.time(), phase.now)
        with stage.connect() as connection:
            ledger.wait_until_quiet(connection)
            self.logs.append(ledger.log(connection))
            self.look(connection)
        if self.partner:
            self.partner.look(phase.now)

    def write_renewals(self, changes: tuple[Change, ...]) -> None:
        """The file of the phase's renewals."""
        rows = ["certification,until"]
        for change in changes:
            last = change.state.expires_at.astimezone(self.plan.zone).date()
            rows.append(f"{change.mentor.certification},{last}")
        renewals(self.config).write_text("\n".join(rows), encoding="utf-8")

    def look(self, connection: psycopg.Connection) -> None:
        self.kept.append(ledger.histories(connection))
        self.reader.look(connection)

    def change(self, phase: Phase) -> None:
        for thinks, changes in phase.changes:
            self.app.commit(changes, thinks)

    def end(self, programs: list[Program], phase: Phase, undisturbed: bool) -> None:
        """Waits for the programs of a phase, and stops a service once it has made the night's run."""
        services = [program for program in programs if program.life.kind == "serve"]
        if services:
            date = scheduled(phase.now, self.plan.zone)
            end = time.monotonic() + (10 if undisturbed else 1)
            while (done := ledger.last_complete(self.app.connection())) is None or done < date:
                if time.monotonic() > end:
                    if undisturbed:
                        self.overdue.append(f"no run of {date} by a service that was told {phase.now}")
                    break
                time.sleep(0.03)
            time.sleep(0.3)
        for service in services:
            service.send(signal.SIGTERM)
        for program in programs:
            if not program.wait(PATIENCE):
                self.overdue.append(f"{program.life} did not end in {PATIENCE} seconds")

    def calm(self) -> Facts:
        """The end without faults: the last run, and deliveries until none is left; twice, because the next
        run records a delivery again that a worker cancelled and whose certification became valid again."""
        end = self.plan.end
        connection = self.app.connection()
        for _ in range(2):
            self.must("run", end)
            for _ in range(8):
                time.sleep(max(0, ledger.lease_left(connection)))
                ledger.skip_waits(connection)
                if not ledger.is_waiting(connection):
                    break
                self.must("work", end)
        if any("normalise" in phase.programs for phase in self.plan.phases):
            self.must("normalise", end)
        if self.partner:
            self.partner.calm(connection, end, self.must)
        for check in CHECKS:
            self.must(check, end)
        self.look(connection)
        return Facts(
            zone=self.plan.zone,
            end=end,
            histories=self.app.histories,
            mentors=self.app.mentors,
            ledger=ledger.read(connection),
            logs=self.logs,
            kept=self.kept,
            reads=self.reader.reads,
            messages=self.messages(),
            lives=[program.life for program in self.programs],
            windows=self.windows,
            in_parts=self.plan.crowd > 0,
            overdue=self.overdue,
            portal=self.partner and self.partner.facts(connection),
        )

    def must(self, kind: str, now: datetime) -> int:
        program = self.start(kind, now)
        program.wait(PATIENCE)
        return program.life.status

    def messages(self) -> list[Message]:
        """The messages that the stand-in accepted in this round."""
        with self.lane.stand_in.record.open("rb") as record:
            record.seek(self.first_byte)
            whole = record.read().rpartition(b"\n")[0]
        return [message(json.loads(line)) for line in whole.splitlines()]


def message(taken: dict) -> Message:
    said = taken["message"]
    android, apns = said["android"], said["apns"]
    collapse_ids = [
        android["collapse_key"],
        android["notification"]["tag"],
        apns["headers"]["apns-collapse-id"],
    ]
    return Message(
        taken["at_micros"] / 1e6,
        taken["number"],
        taken["as"],
        said["token"],
        UUID(said["data"]["certification_id"]),
        said["data"]["stage"],
        frozenset(collapse_ids),
    )
