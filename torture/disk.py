"""A small disk for the database, which can be filled: a file system in memory if we may mount one (as
root), otherwise a limit on the size of the files of the server's processes."""

from __future__ import annotations

import contextlib
import os
import resource
import subprocess
from pathlib import Path

from lab.postgres import Server

# Enough for a cluster, its write-ahead log, the template and a round's database; anything more would have
# to be filled each time.
MEBIBYTES = 256
CHUNK = 1 << 20


class Disk:
    """The location of a server's data, until the `with` block ends."""

    def __init__(self, folder: Path):
        self.data = folder / "disk"
        self.is_mounted = False
        # The method of filling it, as a text.
        self.way = "a limit on the size of the server's files"

    def __enter__(self) -> Disk:
        self.data.mkdir()
        if os.geteuid() == 0:
            mount = ["mount", "-t", "tmpfs", "-o", f"size={MEBIBYTES}m", "certvakt-torture", self.data]
            self.is_mounted = subprocess.run(mount, check=False, capture_output=True).returncode == 0
            # In that case, the server runs as another user, whom root cannot limit everywhere.
            self.way = "a file system of its own" if self.is_mounted else "skipped: mount was refused"
        return self

    def __exit__(self, *_) -> None:
        if self.is_mounted:
            subprocess.run(["umount", "--lazy", self.data], check=True)

    def fill(self, server: Server, leave: int) -> None:
        """Fills the disk except for some bytes."""
        if self.is_mounted:
            with (self.data / "ballast").open("wb", buffering=0) as ballast:
                for chunk in (CHUNK, 4096):
                    with contextlib.suppress(OSError):
                        while True:
                            ballast.write(b"\0" * chunk)
                ballast.truncate(max(0, ballast.tell() - leave))
        elif os.geteuid() != 0:
            limit(server, leave)

    def free(self, server: Server) -> None:
        """Frees the space."""
        if self.is_mounted:
            (self.data / "ballast").unlink(missing_ok=True)
        elif os.geteuid() != 0:
            limit(server, resource.RLIM_INFINITY)


def limit(server: Server, most: int) -> None:
    """Limits the file size of the server's processes, including future ones."""
    if server.process is None:
        return
    postmaster = server.process.pid
    children = Path(f"/proc/{postmaster}/task/{postmaster}/children")
    listed = children.read_text(encoding="ascii").split() if children.exists() else []
    for pid in [postmaster, *map(int, listed)]:
        # The process has ended in the meantime.
        with contextlib.suppress(ProcessLookupError):
            hard = resource.prlimit(pid, resource.RLIMIT_FSIZE)[1]
            resource.prlimit(pid, resource.RLIMIT_FSIZE, (most, hard))
