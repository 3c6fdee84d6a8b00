"""A service on the test data of two organisations, which the tests of permissions use."""

import base64
import hashlib
import hmac
import json
import subprocess
import tempfile
from pathlib import Path

from lab.certvakt import ROOT, Installation
from lab.postgres import Server

FIXTURES = ROOT / "supabase/tests/fixtures"
ISSUER, AUDIENCE, SECRET = (
    "https://issuer.example",
    "authenticated",
    b"a secret of the tests, of forty bytes...",
)
# The day on which all certifications have five days left.
NOON = "2026-06-15T12:00:00+02:00"
# A login may make 600 requests per minute, so there are many logins.
LOGINS = 200


def token(subject: str) -> str:
    """A token of a login, as Supabase Auth or another issuer would sign it."""

    def part(value: bytes) -> str:
        return base64.urlsafe_b64encode(value).rstrip(b"=").decode()

    claims = {"iss": ISSUER, "aud": AUDIENCE, "sub": subject, "exp": 4_102_444_800}
    signed = ".".join(part(json.dumps(one).encode()) for one in ({"alg": "HS256", "typ": "JWT"}, claims))
    return f"{signed}.{part(hmac.digest(SECRET, signed.encode(), hashlib.sha256))}"


class World:
    """Runs until the `with` block ends; `address` is the service's address."""

    def __enter__(self) -> "World":
        self._folder = tempfile.TemporaryDirectory(prefix="certvakt-conformance.")
        self.folder = folder = Path(self._folder.name)
        self._server = Server().__enter__()
        self.installation = Installation(self._server).create(rehearsal=True)
        with self._server.connect(self.installation.database) as connection:
            for name in ("world", "certified"):
                connection.execute((FIXTURES / f"{name}.psql").read_text(encoding="utf-8"))
            connection.execute(
                "insert into certvakt.identities (issuer, subject, person_id)"
                " select issuer, 'administrator-' || n, person_id from certvakt.identities,"
                " generate_series(1, %s) as n where subject = 'administrator'",
                [LOGINS],
            )
        (folder / "secret").write_bytes(SECRET)
        config = folder / "certvakt.toml"
        config.write_text(
            f'[serve]\nlisten = "127.0.0.1:0"\n[auth]\nissuer = "{ISSUER}"\naudience = "{AUDIENCE}"\n'
            f'algorithm = "HS256"\nsecret_file = "{folder / "secret"}"\n'
            # A closed port, so that requested invitations stay queued.
            '[email]\nserver = "smtp://127.0.0.1:1"\nfrom = "varsel@certvakt.example"\n'
            '[sign_in]\npublic_url = "https://certvakt.example"\nlinks = true\n',
            encoding="utf-8",
        )
        environment = self.installation.environment(now=NOON) | {"CERTVAKT_LOG_FORMAT": "json"}
        self.log = folder / "log"
        with self.log.open("wb") as log:
            self._service = subprocess.Popen(
                [self.installation.programs / "certvakt", "serve", "--config", config],
                env=environment,
                stderr=log,
            )
        self.address = f"http://{self._listening()}"
        return self

    def _listening(self) -> str:
        while self._service.poll() is None:
            for line in self.log.read_text(encoding="utf-8").splitlines():
                fields = json.loads(line)["fields"]
                if fields.get("message") == "listening":
                    return fields["address"]
        raise RuntimeError(f"the service does not start: {self.log.read_text(encoding='utf-8')}")

    def __exit__(self, *_) -> None:
        self._service.terminate()
        self._service.wait()
        self._server.__exit__()
        self._folder.cleanup()

    def superuser(self) -> str:
        """The address of the database as superuser, who bypasses all policies."""
        return self._server.address(database=self.installation.database)

    def set(self, setting: str, value: str) -> None:
        """Sets a setting of the database for new connections."""
        database = self.installation.database
        with self._server.connect(database) as connection:
            connection.execute(f"alter database {database} set {setting} = '{value}'")
