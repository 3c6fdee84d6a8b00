"""The faults of the programs, the server and the connection between them, and the time windows in which a
message may have been accepted without a recorded outcome."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass

import psycopg

from lab.postgres import Server
from torture import ledger
from torture.disk import Disk
from torture.facts import Window
from torture.program import Program
from torture.proxy import Proxy
from torture.world import Fault

LINES = {"cut", "half_close", "slow_line", "silent_line"}
ARMED = LINES | {"full_disk"}
# The approximate number of bytes that a program and the server exchange in a phase.
BYTES = {"run": 17_000, "work": 32_000, "serve": 40_000, "normalise": 16_000, "renew": 20_000,
         "sync": 20_000, "reconcile": 12_000}  # fmt: skip


@dataclass
class Stage:
    """The targets of faults in a phase."""

    server: Server
    disk: Disk
    proxy: Proxy
    database: str
    programs: list[Program]
    start: Callable[[str], Program]

    def connect(self, seconds: float = 30) -> psycopg.Connection:
        """Returns a connection as soon as the server accepts one; starts the server again if it has
        ended."""
        end = time.monotonic() + seconds
        while True:
            try:
                return self.server.connect(self.database, connect_timeout=5)
            except psycopg.OperationalError:
                if time.monotonic() > end:
                    raise
                if self.server.process is None or self.server.process.poll() is not None:
                    with contextlib.suppress(RuntimeError):
                        self.server.start()
                time.sleep(0.03)

    def living(self) -> list[Program]:
        return [program for program in self.programs if program.is_running()]


def arm(fault: Fault, stage: Stage, programs: tuple[str, ...]) -> None:
    """Arms faults before the programs start: of the connection, which occur after a number of bytes, and
    the full disk, which takes longer than a run."""
    if fault.kind in LINES:
        stage.proxy.fail(fault.kind, int(fault.where * sum(BYTES[kind] for kind in programs)))
    elif fault.kind == "full_disk":
        _fill_disk(fault, stage)


def inject(fault: Fault, stage: Stage, armed: float) -> Window:
    """Injects a fault, and repairs everything except the programs. When it returns, the server works."""
    start = armed if fault.kind in ARMED else time.time()
    HOW[fault.kind](fault, stage)
    if fault.kind in LINES and stage.proxy.hit_at:
        start = stage.proxy.hit_at
    return Window(fault.kind, start, time.time())


def _kill(fault: Fault, stage: Stage) -> None:
    living = stage.living()
    if living:
        living[int(fault.where * len(living))].send(signal.SIGKILL)


def _kill_all(_: Fault, stage: Stage) -> None:
    for program in stage.living():
        program.send(signal.SIGKILL)


def _kill_midway(fault: Fault, stage: Stage) -> None:
    """Kills the program while only a part of the histories is moved."""
    with stage.connect() as connection:
        while stage.living() and ledger.moved(connection) <= fault.where / 2:
            pass
    _kill_all(fault, stage)


def _pause(fault: Fault, stage: Stage) -> None:
    """Suspends the program for longer than its lease, as on a machine that was put to sleep; another one
    takes over before it resumes."""
    living = stage.living()
    if not living:
        return
    asleep = living[int(fault.where * len(living))]
    asleep.send(signal.SIGSTOP)
    with stage.connect() as connection:
        if asleep.life.kind == "sync":
            # The lease of a sync is at least a minute.
            ledger.skip_partner_waits(connection, 0)
        else:
            time.sleep(max(ledger.lease_left(connection), 0) + 0.05)
    stage.start("sync" if asleep.life.kind == "sync" else "work")
    time.sleep(fault.where * 0.4)
    asleep.send(signal.SIGCONT)


def _backend(fault: Fault, stage: Stage) -> int | None:
    with stage.connect() as connection:
        pids = ledger.backends(connection)
    return pids[int(fault.where * len(pids))] if pids else None


def _terminate_backend(fault: Fault, stage: Stage) -> None:
    pid = _backend(fault, stage)
    if pid is not None:
        with stage.connect() as connection:
            connection.execute("select pg_terminate_backend(%s)", [pid])


def _kill_backend(fault: Fault, stage: Stage) -> None:
    """Kills a backend, so that the server closes all connections and recovers."""
    pid = _backend(fault, stage)
    if pid is not None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
        time.sleep(0.02)
    stage.connect().close()


def _quit_server(_: Fault, stage: Stage) -> None:
    stage.server.stop(signal.SIGQUIT)
    stage.connect().close()


def _kill_server(_: Fault, stage: Stage) -> None:
    stage.server.stop(signal.SIGKILL)
    stage.connect().close()


def _fill_disk(fault: Fault, stage: Stage) -> None:
    """Leaves little free space, sometimes too little for another segment of the write-ahead log, which
    crashes the server."""
    needs_log = fault.where < 0.3
    stage.disk.fill(stage.server, 0 if needs_log else int((fault.where - 0.3) * 65536))
    if needs_log:
        with contextlib.suppress(psycopg.Error), stage.server.connect(stage.database) as connection:
            for _ in range(40):
                connection.execute("select pg_logical_emit_message(false, 'torture', repeat('-', 1000))")
                connection.execute("select pg_switch_wal()")


def _full_disk(_: Fault, stage: Stage) -> None:
    end = time.monotonic() + 1
    while stage.living() and time.monotonic() < end:
        time.sleep(0.01)
    stage.disk.free(stage.server)
    stage.connect().close()


def _line(fault: Fault, stage: Stage) -> None:
    """Waits for the armed fault, if it occurs, and a while longer."""
    lasts = {"slow_line": 1.0, "silent_line": 0.5}.get(fault.kind, 0)
    patience = time.time() + 2.5
    while stage.living() and time.time() < (stage.proxy.hit_at or patience) + lasts:
        time.sleep(0.005)
    stage.proxy.heal()


HOW: dict[str, Callable[[Fault, Stage], None]] = {
    "kill": _kill,
    "kill_all": _kill_all,
    "kill_midway": _kill_midway,
    "pause": _pause,
    "terminate_backend": _terminate_backend,
    "kill_backend": _kill_backend,
    "quit_server": _quit_server,
    "kill_server": _kill_server,
    "full_disk": _full_disk,
} | dict.fromkeys(LINES, _line)
