"""`certvakt serve`, and wrk, which makes requests with many logins in turn."""

import base64
import hashlib
import hmac
import json
import re
import subprocess
import time
import urllib.request
from contextlib import AbstractContextManager
from pathlib import Path

from bench.measure import Wrong
from bench.organisations import ISSUER, LOGINS, ROWS
from lab.certvakt import Installation, binary
from lab.postgres import free_port

SECRET = b"a secret of the benchmark, of forty-odd bytes"
SCRIPT = Path(__file__).with_name("pages.lua")
LIST = "/api/v1/certifications"
# Sessions of browsers. Their secrets have the form of those that a sign-in creates.
COOKIE = "__Host-certvakt={:064x}"
SESSIONS = """
insert into certvakt.sessions (token_hash, issuer, subject)
select sha256(convert_to(lpad(to_hex(n), 64, '0'), 'UTF8')), %s,
  case n when 0 then 'administrator' else 'coordinator-' || n end
from generate_series(0, %s) n
on conflict do nothing
"""


def token(subject: str) -> str:
    """An HS256 token as an issuer creates it (RFC 7519)."""

    def part(content: bytes) -> str:
        return base64.urlsafe_b64encode(content).rstrip(b"=").decode()

    claims = {"iss": ISSUER, "sub": subject, "aud": "authenticated", "exp": int(time.time()) + 24 * 3600}
    signed = ".".join(part(json.dumps(one).encode()) for one in ({"alg": "HS256", "typ": "JWT"}, claims))
    return f"{signed}.{part(hmac.digest(SECRET, signed.encode(), hashlib.sha256))}"


class Elsewhere(Wrong):
    """A page redirects to another one."""

    def __init__(self, path: str, other: str):
        super().__init__(f"{path} leads to {other}")
        self.path = other


class Service(AbstractContextManager):
    """Runs until the `with` block ends."""

    def __init__(self, installation: Installation, folder: Path):
        self.address = f"127.0.0.1:{free_port()}"
        self.clients, self.browsers, self.administrators, secret, self.config = (
            folder / name for name in ("clients", "browsers", "administrators", "secret", "serve.toml")
        )
        # A header for each login.
        numbers = range(1, LOGINS + 1)
        self.clients.write_text(
            "".join(f"authorization: Bearer {token(f'coordinator-{n}')}\n" for n in numbers)
        )
        self.browsers.write_text("".join(f"cookie: {COOKIE.format(n)}\n" for n in numbers))
        self.administrators.write_text(f"cookie: {COOKIE.format(0)}\n")
        secret.write_bytes(SECRET)
        self.config.write_text(
            f'[serve]\nlisten = "{self.address}"\noperations = "127.0.0.1:0"\n[delivery]\nchannels = []\n'
            f'[auth]\nissuer = "{ISSUER}"\naudience = "authenticated"\nalgorithm = "HS256"\n'
            f'secret_file = "{secret}"\n'
            '[sign_in]\npublic_url = "https://certvakt.example"\nlinks = true\n'
            '[email]\nserver = "smtp://127.0.0.1:9"\nfrom = "certvakt@certvakt.example"\n'
        )
        with installation.server.connect(installation.database) as connection:
            connection.execute(SESSIONS, [ISSUER, LOGINS])
        self.log, self.environment = folder / "serve.log", installation.environment()
        # Make tonight's runs first, so that none happens during the measurement.
        installation.run(["run"])

    def __enter__(self) -> "Service":
        with self.log.open("wb") as log:
            command = [binary(), "serve", "--config", self.config]
            self.process = subprocess.Popen(command, env=self.environment, stdout=log, stderr=log)
        end = time.monotonic() + 30
        while True:
            try:
                page = json.loads(self.get(LIST, self.clients))
                break
            except OSError as error:
                if self.process.poll() is not None or time.monotonic() > end:
                    self.__exit__()
                    raise Wrong(f"certvakt serve does not answer: {error}\n{self.log.read_text()}") from error
                time.sleep(0.05)
        if len(page["items"]) != ROWS - 1 or page["next"] is None:
            raise Wrong(f"the API's first page has {len(page['items'])} certifications")
        return self

    def __exit__(self, *_) -> None:
        self.process.terminate()
        self.process.wait()

    def get(self, path: str, logins: Path, number: int = 0) -> bytes:
        """Requests a page with one of the logins, in turn."""
        lines = logins.read_text().splitlines()
        name, _, value = lines[number % len(lines)].partition(": ")
        request = urllib.request.Request(f"http://{self.address}{path}", headers={name: value})
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                if answer.url != request.full_url:
                    raise Elsewhere(path, answer.url.removeprefix(f"http://{self.address}"))
                return answer.read()
        except urllib.error.HTTPError as error:
            raise Wrong(f"{path} answers {error.code}") from error

    def load(self, path: str, logins: Path, connections: int, seconds: int) -> float:
        """Requests a page with each login in turn. Returns the pages per second."""
        url = f"http://{self.address}{path}"
        command = ["wrk", "-t", "1", "-c", str(connections), "-d", f"{seconds}s", "-s", SCRIPT, url]
        done = subprocess.run([*command, "--", logins], check=False, capture_output=True, text=True)
        found = re.search(r"Requests/sec: +([\d.]+)", done.stdout)
        if done.returncode != 0 or not found or re.search("Non-2xx|Socket errors", done.stdout):
            raise Wrong(f"wrk ended with {done.returncode}:\n{done.stdout}{done.stderr}")
        return float(found[1])
