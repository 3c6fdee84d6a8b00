"""A private PostgreSQL server, with fsync and synchronous_commit on, and the defaults for everything that
is not in `settings`."""

import contextlib
import os
import pwd
import random
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path

import psycopg

# Two servers on one machine cannot share these; none of them changes the cost of a write.
PLACE = {"listen_addresses": "127.0.0.1", "max_connections": "200", "log_min_messages": "warning"}

# The range from which the system chooses ports (Linux, ip-sysctl).
SYSTEM_PORTS = Path("/proc/sys/net/ipv4/ip_local_port_range")
LOWEST_PORT = 10_000
RETURNED_PORTS: set[int] = set()


def programs() -> Path:
    """The folder of the distribution's newest PostgreSQL programs."""
    found = [path.parent for path in Path("/usr/lib/postgresql").glob("*/bin/postgres")]
    if not found:
        raise SystemExit("no PostgreSQL in /usr/lib/postgresql: install the package postgresql")
    return max(found, key=lambda path: float(path.parent.name))


def unprivileged() -> dict:
    """Makes a child process run as an unprivileged user, because PostgreSQL refuses root."""
    if os.geteuid() != 0:
        return {}
    for name in ("postgres", "nobody"):
        with contextlib.suppress(KeyError):
            user = pwd.getpwnam(name)
            return {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}
    raise SystemExit("PostgreSQL refuses to run as root, and there is neither a user postgres nor nobody")


def free_port() -> int:
    """A free port, which this process has not returned before. It is below the range from which the system
    chooses ports, so that no other program gets it before the server starts, or while it is restarted."""
    first_of_system = int(SYSTEM_PORTS.read_text(encoding="ascii").split()[0])
    while True:
        port = random.SystemRandom().randrange(LOWEST_PORT, max(first_of_system, 2 * LOWEST_PORT))
        if port in RETURNED_PORTS:
            continue
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            RETURNED_PORTS.add(port)
            return port


class Server:
    """A server in its own folder, which is deleted when the `with` block ends."""

    def __init__(self, settings: dict[str, str] | None = None, data: Path | None = None):
        self.settings = settings or {}
        self.folder = Path(tempfile.mkdtemp(prefix="certvakt-lab."))
        self.folder.chmod(0o711)
        self.data = data or self.folder / "data"
        self.log = self.folder / "server.log"
        self.port = free_port()
        self.process: subprocess.Popen | None = None

    def __enter__(self) -> "Server":
        try:
            who = unprivileged()
            if not self.data.exists():
                self.data.mkdir()
            if who:
                os.chown(self.data, who["user"], who["group"])
            self.data.chmod(0o700)
            initdb = [programs() / "initdb", "-D", self.data, "-U", "postgres", "-A", "trust"]
            subprocess.run(
                [*initdb, "-E", "UTF8", "--locale=C"],
                check=True,
                cwd=self.folder,
                stdout=subprocess.DEVNULL,
                **who,
            )
            self.start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_) -> None:
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def start(self) -> None:
        """Starts the server, and waits until it accepts connections, including recovery."""
        settings = PLACE | self.settings
        command = [programs() / "postgres", "-D", self.data, "-k", "", "-p", str(self.port)]
        for name, value in settings.items():
            command += ["-c", f"{name}={value}"]
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                command, cwd=self.folder, stdout=log, stderr=log, start_new_session=True, **unprivileged()
            )
        end = time.monotonic() + 120
        while True:
            try:
                psycopg.connect(self.address(), connect_timeout=5).close()
                return
            except psycopg.OperationalError as error:
                if self.process.poll() is not None or time.monotonic() > end:
                    raise RuntimeError(f"PostgreSQL does not start: {self.log.read_text()}") from error
                time.sleep(0.02)

    def stop(self, how: signal.Signals = signal.SIGINT) -> None:
        """Stops the server: SIGINT is a fast shutdown, SIGQUIT an immediate one, from which the next start
        recovers."""
        if self.process is not None:
            self.process.send_signal(how)
            self.process.wait()
            self.process = None

    def address(self, login: str = "postgres", database: str = "postgres") -> str:
        return f"postgres://{login}@127.0.0.1:{self.port}/{database}"

    def connect(self, database: str = "postgres", **options) -> psycopg.Connection:
        """A connection as superuser, who bypasses all policies."""
        return psycopg.connect(self.address(database=database), autocommit=True, **options)
