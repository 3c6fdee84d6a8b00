"""`certvakt serve`, and wrk, which requests first pages with many logins in turn."""

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


def token(subject: str) -> str:
    """An HS256 token as an issuer creates it (RFC 7519)."""

    def part(content: bytes) -> str:
        return base64.urlsafe_b64encode(content).rstrip(b"=").decode()

    claims = {"iss": ISSUER, "sub": subject, "aud": "authenticated", "exp": int(time.time()) + 24 * 3600}
    signed = ".".join(part(json.dumps(one).encode()) for one in ({"alg": "HS256", "typ": "JWT"}, claims))
    return f"{signed}.{part(hmac.digest(SECRET, signed.encode(), hashlib.sha256))}"


class Service(AbstractContextManager):
    """Runs until the `with` block ends."""

    def __init__(self, installation: Installation, folder: Path):
        self.address = f"127.0.0.1:{free_port()}"
        self.url = f"http://{self.address}/api/v1/certifications"
        self.tokens, secret, self.config = (folder / name for name in ("tokens", "secret", "serve.toml"))
        self.tokens.write_text("".join(token(f"coordinator-{n}") + "\n" for n in range(1, LOGINS + 1)))
        secret.write_bytes(SECRET)
        self.config.write_text(
            f'[serve]\nlisten = "{self.address}"\noperations = "127.0.0.1:0"\n[delivery]\nchannels = []\n'
            f'[auth]\nissuer = "{ISSUER}"\naudience = "authenticated"\nalgorithm = "HS256"\n'
            f'secret_file = "{secret}"\n'
        )
        self.log, self.environment = folder / "serve.log", installation.environment()
        # Make tonight's runs first, so that none happens during the measurement.
        installation.run(["run"])

    def __enter__(self) -> "Service":
        with self.log.open("wb") as log:
            command = [binary(), "serve", "--config", self.config]
            self.process = subprocess.Popen(command, env=self.environment, stdout=log, stderr=log)
        first = self.tokens.read_text().split("\n", 1)[0]
        request = urllib.request.Request(self.url, headers={"authorization": f"Bearer {first}"})
        end = time.monotonic() + 30
        while True:
            try:
                with urllib.request.urlopen(request, timeout=30) as answer:
                    page = json.load(answer)
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

    def load(self, connections: int, seconds: int) -> float:
        """Requests first pages. Returns the pages per second."""
        command = ["wrk", "-t", "1", "-c", str(connections), "-d", f"{seconds}s", "-s", SCRIPT, self.url]
        done = subprocess.run([*command, "--", self.tokens], check=False, capture_output=True, text=True)
        found = re.search(r"Requests/sec: +([\d.]+)", done.stdout)
        if done.returncode != 0 or not found or re.search("Non-2xx|Socket errors", done.stdout):
            raise Wrong(f"wrk ended with {done.returncode}:\n{done.stdout}{done.stderr}")
        return float(found[1])
