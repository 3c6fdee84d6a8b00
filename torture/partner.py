"""A round's partner: sets it up, advances its time, and checks its page."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import psycopg

from lab.certvakt import Installation
from torture import ledger
from torture.facts import Look, Portal
from torture.portal import CACHE_SECONDS, KEY, VERSION, PortalProcess
from torture.program import PARTNER

# Mentors on a page of the listing.
PAGE = 5


class Partner:
    def __init__(self, installation: Installation, portal: PortalProcess, config: Path):
        self.installation, self.portal, self.config = installation, portal, config
        self.looks: list[Look] = []

    def set_up(self, keys: list[str]) -> None:
        """Enrols these mentors, and enables the partner. Removals need no approval here."""
        self.portal.control(reset=True, know=keys, keys=[KEY], page=PAGE)
        self._run("add", *PARTNER, "--requires", "type", "--removal-limit", "1000000")
        self._run("enable", *PARTNER, "--environment", "live", "--contract", VERSION)

    def _run(self, *words: str) -> None:
        self.installation.run(["--config", str(self.config), "partner", *words])

    def begin(self, connection: psycopg.Connection, troubles: tuple = ()) -> None:
        """Advances the time, and sets the portal's faults."""
        ledger.skip_partner_waits(connection, CACHE_SECONDS)
        faults = [{"on": method, "what": what, "times": times} for method, what, times in troubles]
        self.portal.control(later=CACHE_SECONDS, faults=faults)

    def let_go(self) -> None:
        """Responds to the requests that the portal holds."""
        self.portal.control(let_go=True)

    def look(self, now: datetime) -> None:
        """The portal's page and the output of `status`, without requests in progress."""
        self.portal.control(faults=[], let_go=True)
        command = [self.installation.programs / "certvakt", "--config", self.config, "partner", "status"]
        environment = self.installation.environment(now=now.isoformat())
        said = subprocess.run(
            [*command, "--output", "json"], check=False, env=environment, capture_output=True
        )
        if said.returncode not in (0, 1):
            raise RuntimeError(f"certvakt partner status ended with {said.returncode}: {said.stderr}")
        standing = json.loads(said.stdout)["partners"][0]["mentors"]
        self.looks.append(Look(time.time(), now, self.portal.page(), standing))

    def calm(
        self, connection: psycopg.Connection, end: datetime, must: Callable[[str, datetime], int]
    ) -> None:
        """Syncs until nothing is left to send, and compares the page until it is correct."""
        for _ in range(8):
            self.begin(connection)
            must("sync", end)
            if not ledger.is_to_be_told(connection):
                break
        self.look(end)
        for _ in range(4):
            self.begin(connection)
            must("reconcile", end)
            if not ledger.is_to_be_told(connection):
                break
            must("sync", end)
        self.begin(connection)
        must("reconcile", end)
        self.look(end)

    def facts(self, connection: psycopg.Connection) -> Portal:
        return Portal(ledger.events(connection), ledger.listings(connection), self.portal.told(), self.looks)
