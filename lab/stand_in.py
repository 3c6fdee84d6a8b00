"""The stand-in for the push service as a process, and a configuration that points at it."""

import json
import subprocess
import tempfile
from pathlib import Path

from lab.certvakt import binary


class StandIn:
    """Runs until the `with` block ends. It listens on `address`, and records accepted messages in `record`,
    as a line of JSON each."""

    def __init__(self, *arguments: str):
        self.arguments = arguments

    def __enter__(self) -> "StandIn":
        self._folder = tempfile.TemporaryDirectory(prefix="certvakt-stand-in.")
        self.folder = Path(self._folder.name)
        self.record = self.folder / "messages.jsonl"
        self.process = subprocess.Popen(
            [binary("fcm-stand-in"), "--folder", self.folder, "--until-stdin-closes", *self.arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.address = json.loads(self.process.stdout.readline())["address"]
        return self

    def __exit__(self, *_) -> None:
        self.process.stdin.close()
        self.process.wait()
        self.process.stdout.close()
        self._folder.cleanup()

    def messages(self) -> list[dict]:
        """The accepted messages, in order, without one that is still being written."""
        whole = self.record.read_text(encoding="utf-8").rpartition("\n")[0]
        return [json.loads(line) for line in whole.splitlines()]

    def config(self, delivery: str = "", fcm: str = "", endpoint: str | None = None) -> Path:
        """A configuration file with the channel `fcm` only, and additional lines for its two tables."""
        path = self.folder / "certvakt.toml"
        path.write_text(
            f'[delivery]\nchannels = ["fcm"]\n{delivery}\n'
            f'[fcm]\nendpoint = "{endpoint or self.address}"\n'
            f'service_account_file = "{self.folder / "service-account.json"}"\n{fcm}\n',
            encoding="utf-8",
        )
        return path
