"""A reader, which reads the histories of certifications repeatedly, and stores the results."""

from __future__ import annotations

import contextlib
import threading
from collections import defaultdict
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from uuid import UUID

import psycopg

from lab.certvakt import Installation
from torture import ledger

# Seconds between two reads, and between two attempts to connect.
EVERY = 0.003


class Reader:
    def __init__(self, installation: Installation):
        self.installation = installation
        # The results for each history that differed from the previous one.
        self.reads: defaultdict[UUID, list[str]] = defaultdict(list)

    def look(self, connection: psycopg.Connection) -> None:
        for certification, history in ledger.reads(connection):
            known = self.reads[certification]
            if known[-1:] != [history]:
                known.append(history)

    @contextlib.contextmanager
    def reading(self) -> Iterator[None]:
        """Reads until the block ends, whenever there is a server."""
        over = threading.Event()
        with ThreadPoolExecutor(1) as beside:
            looking = beside.submit(self._look_until, over)
            try:
                yield
            finally:
                over.set()
            looking.result()

    def _look_until(self, over: threading.Event) -> None:
        server, database = self.installation.server, self.installation.database
        while not over.wait(EVERY):
            with (
                contextlib.suppress(psycopg.OperationalError),
                server.connect(database, connect_timeout=5) as connection,
            ):
                while not over.wait(EVERY):
                    self.look(connection)
