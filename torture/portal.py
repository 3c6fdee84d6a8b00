"""The stand-in for a partner's portal as a process, with certvakt's contract for it."""

from __future__ import annotations

import json
import subprocess
import sys
import urllib.request
from pathlib import Path

from lab.certvakt import ROOT
from torture.facts import Told

PROGRAM = ROOT / "crates/stand-ins/portal.py"
# The contract of the documentation, with shorter time limits.
CONTRACT = ROOT / "contracts/example/2026-1.toml"
VERSION = "1"
KEY = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
# The time for which the page may show an older state.
CACHE_SECONDS = 900


class PortalProcess:
    """Runs until the `with` block ends; `config` is its section in a configuration."""

    def __init__(self, folder: Path):
        self.folder = folder / "portal"

    def __enter__(self) -> PortalProcess:
        contracts = self.folder / "contracts" / "portal"
        contracts.mkdir(parents=True)
        pipe = subprocess.PIPE
        # It reports clients that die during a request.
        with (self.folder / "said").open("wb") as said:
            self.process = subprocess.Popen(
                [sys.executable, PROGRAM], stdin=pipe, stdout=pipe, stderr=said, text=True
            )
        self.address = json.loads(self.process.stdout.readline())["address"]
        contract = CONTRACT.read_text(encoding="utf-8").replace("https://portal.example", self.address)
        contract = contract.replace("timeout_seconds = 5", "timeout_seconds = 1")
        (contracts / f"{VERSION}.toml").write_text(contract, encoding="utf-8")
        (self.folder / "key").write_text(KEY, encoding="utf-8")
        self.config = (
            f'[partners]\ncontracts = "{contracts.parent}"\n'
            'allowed_internal_hosts = ["127.0.0.1"]\npoll_seconds = 1\n'
            f'[partners.secrets.org.portal.live]\nkeys = ["{self.folder / "key"}"]\n'
        )
        return self

    def __exit__(self, *_) -> None:
        self.process.stdin.close()
        self.process.wait()
        self.process.stdout.close()

    def control(self, **wish) -> None:
        self._ask("/control", wish)

    def page(self) -> frozenset[str]:
        """The keys on its page."""
        self.control(render=True)
        shown, path = [], "/listing"
        while path:
            answer = self._ask(path)
            shown += [row["mentorId"] for row in answer["value"]]
            path = answer["next"]
        return frozenset(shown)

    def told(self) -> list[Told]:
        """The states that it accepted since its reset, in order."""
        taken, seen = [], set()
        for one in self._ask("/record"):
            if one["method"] != "POST" or one["status"] != 202 or one["headers"]["webhook-id"] in seen:
                continue
            seen.add(one["headers"]["webhook-id"])
            said = json.loads(one["body"])
            taken.append(Told(one["at"], said["mentorId"], said["status"] == "active"))
        return taken

    def _ask(self, path: str, body: dict | None = None):
        data = None if body is None else json.dumps(body).encode()
        with urllib.request.urlopen(self.address + path, data, timeout=30) as answer:
            return json.load(answer)
