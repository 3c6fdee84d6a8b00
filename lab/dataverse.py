"""The stand-in for Dataverse as a process, and a configuration that connects certvakt to it."""

import json
import subprocess
import sys
import tempfile
import urllib.request
from pathlib import Path

from lab.certvakt import ROOT

PROGRAM = ROOT / "crates/stand-ins/dataverse"
# The contract of the documentation.
CONTRACT = ROOT / "contracts/dataverse/2026-1.toml"
VERSION = "1"


class Dataverse:
    """Runs until the `with` block ends. `config` is a configuration of the partner `portal`, whose contract
    has these replacements; commands trust its certificate in this `environment`."""

    def __init__(self, replaced: dict[str, str]):
        self.replaced = replaced

    def __enter__(self) -> "Dataverse":
        self._folder = tempfile.TemporaryDirectory(prefix="certvakt-dataverse.")
        folder = Path(self._folder.name)
        self.process = subprocess.Popen(
            [sys.executable, PROGRAM, folder], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        listening = json.loads(self.process.stdout.readline())
        self._orders = listening["control"]
        self.environment = {"SSL_CERT_FILE": listening["ca"]}
        contract = CONTRACT.read_text(encoding="utf-8")
        for host in ("https://org.example", "https://login.example"):
            contract = contract.replace(host, listening["address"])
        for what, replacement in self.replaced.items():
            assert what in contract, what
            contract = contract.replace(what, replacement)
        contracts = folder / "contracts/portal"
        contracts.mkdir(parents=True)
        (contracts / f"{VERSION}.toml").write_text(contract, encoding="utf-8")
        self.config = folder / "certvakt.toml"
        self.config.write_text(
            f'[partners]\ncontracts = "{contracts.parent}"\nallowed_internal_hosts = ["127.0.0.1"]\n'
            f'[partners.secrets.org.portal.live]\nkeys = ["{folder / "client.pem"}"]\n',
            encoding="utf-8",
        )
        return self

    def __exit__(self, *_) -> None:
        self.process.stdin.close()
        self.process.wait()
        self.process.stdout.close()
        self._folder.cleanup()

    def measure(self) -> dict:
        """The numbers of received requests and operations."""
        with urllib.request.urlopen(f"{self._orders}/measure", timeout=60) as answer:
            return json.load(answer)
