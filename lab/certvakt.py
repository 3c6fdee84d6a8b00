"""An installation of the real binary: a migrated database, and the commands."""

import json
import os
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

from lab.postgres import Server

ROOT = Path(__file__).resolve().parent.parent
OWNER, SERVICE = "certvakt_owner", "certvakt_service"


def binary(name: str = "certvakt") -> Path:
    """The path of a program in the tests' build, or in the folder in CERTVAKT_BINARIES."""
    return Path(os.environ.get("CERTVAKT_BINARIES", ROOT / "target/debug")) / name


@dataclass
class Installation:
    """A database with certvakt's schema, and the logins of the documentation."""

    server: Server
    database: str = "certvakt"
    programs: Path = field(default_factory=lambda: binary().parent)

    def create(self, rehearsal: bool = False) -> "Installation":
        with self.server.connect() as connection:
            for login, may in ((OWNER, "createrole"), (SERVICE, "noinherit")):
                if not connection.execute("select from pg_roles where rolname = %s", [login]).fetchall():
                    connection.execute(f"create role {login} login {may}")
            connection.execute(f"create database {self.database} owner {OWNER}")
            migrate = ["migrate", "--rehearsal"] if rehearsal else ["migrate"]
            self.run(migrate, login=OWNER)
            connection.execute(
                f"grant certvakt_worker, certvakt_registrar, certvakt_auth, authenticated to {SERVICE}"
            )
        return self

    def environment(self, login: str = SERVICE, now: str | None = None, address: str | None = None) -> dict:
        """The environment of a command: `now` moves its dates, which only a rehearsal allows; `address`
        replaces the server's own."""
        environment = {k: v for k, v in os.environ.items() if not k.startswith(("CERTVAKT_", "RUST_LOG"))}
        environment["DATABASE_URL"] = address or self.server.address(login, self.database)
        if now:
            environment["CERTVAKT_NOW"] = now
        return environment

    def run(self, arguments: list[str], **environment) -> str:
        """Runs a command, which must succeed. Returns its output."""
        command = [self.programs / "certvakt", *arguments]
        environ = self.environment(**environment)
        done = subprocess.run(command, check=False, env=environ, capture_output=True, text=True)
        if done.returncode != 0:
            raise RuntimeError(f"certvakt {' '.join(arguments)} ended with {done.returncode}: {done.stderr}")
        return done.stdout

    def json(self, arguments: list[str], **environment):
        return json.loads(self.run([*arguments, "--output", "json"], **environment))

    def with_organisation(self, slug: str = "org", zone: str = "Europe/Oslo") -> "Installation":
        """Adds an organisation with the chapter `chapter` and the type `type`."""
        self.run(["organisation", "add", slug, "--name", "Foreningen", "--timezone", zone])
        self.run(["chapter", "add", "chapter", "--organisation", slug, "--name", "Østlandet"])
        self.run(
            ["type", "add", "type", "--organisation", slug, "--name", "Likeperson", "--validity", "24mo"]
        )
        return self
