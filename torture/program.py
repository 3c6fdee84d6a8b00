"""A certvakt program as a process, with the facts about its life for the oracle."""

from __future__ import annotations

import signal
import subprocess
import time
from datetime import datetime
from pathlib import Path

from lab.certvakt import Installation
from torture.facts import Life

# Commands that check the data, whose exit status is the result.
CHECKS = {
    "verify": ["verify"],
    "verify_history": ["verify", "--history"],
    "history_check": ["history", "check"],
}
# The arguments that select the partner.
PARTNER = ["portal", "--organisation", "org"]
COMMANDS = CHECKS | {
    "run": ["run"],
    "work": ["work", "--drain"],
    "serve": ["serve"],
    "normalise": ["history", "normalise", "--organisation", "org", "--batch", "2"],
    "renew": ["renew", "--file"],
    "sync": ["partner", "sync"],
    "reconcile": ["partner", "reconcile", *PARTNER],
}


def renewals(config: Path) -> Path:
    """The file for `renew`, next to the configuration."""
    return config.with_name("renewals.csv")


class Program:
    def __init__(
        self,
        kind: str,
        installation: Installation,
        now: datetime,
        *,
        config: Path,
        address: str | None,
        errors: Path,
    ):
        self.errors = errors
        environment = installation.environment(now=now.isoformat(), address=address)
        command = [installation.programs / "certvakt", "--config", config, *COMMANDS[kind]]
        if kind == "renew":
            command.append(renewals(config))
        with errors.open("wb") as stderr:
            self.life = Life(kind, now, time.time())
            self.process = subprocess.Popen(
                command, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=stderr
            )

    def is_running(self) -> bool:
        return self.process.poll() is None

    def send(self, what: signal.Signals) -> None:
        if self.is_running():
            self.process.send_signal(what)

    def wait(self, seconds: float) -> bool:
        """Waits for the process to exit. Returns whether it exited without being killed."""
        if self.life.status is not None:
            return True
        try:
            self.process.wait(seconds)
            return True
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            return False
        finally:
            self.life.end = time.time()
            self.life.status = self.process.returncode
