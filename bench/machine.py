"""The environment of the measurements: the machine, and the versions and settings of the programs."""

import os
import platform
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from statistics import median

from lab.certvakt import Installation, binary
from lab.postgres import Server

# The most relevant settings, in addition to those that differ from the defaults.
ASKED_ABOUT = (
    "fsync",
    "synchronous_commit",
    "shared_buffers",
    "max_wal_size",
    "checkpoint_timeout",
    "work_mem",
    "jit",
    "autovacuum",
)


def first_value(path: str, name: str) -> str:
    """The first value of a name in a file of `name: value` lines."""
    for line in Path(path).read_text(encoding="utf-8").splitlines():
        key, _, value = line.partition(":")
        if key.strip() == name:
            return value.strip()
    return "unknown"


def file_system(folder: Path) -> str:
    """The kind of file system that holds a folder, and the device under it."""
    best = ("", "unknown", "unknown")
    for line in Path("/proc/mounts").read_text(encoding="utf-8").splitlines():
        device, place, kind = line.split()[:3]
        if folder.is_relative_to(place) and len(place) >= len(best[0]):
            best = (place, kind, device)
    _, kind, device = best
    return f"{kind} on {device}"


def durable_write(folder: Path) -> str:
    """The median time of writing 8 KiB durably in a folder, as PostgreSQL does for a commit."""
    seconds = []
    with tempfile.NamedTemporaryFile(dir=folder) as file:
        for _ in range(500):
            began = time.perf_counter()
            os.pwrite(file.fileno(), bytes(8192), 0)
            os.fdatasync(file.fileno())
            seconds.append(time.perf_counter() - began)
    return f"{1000 * median(seconds):.2f} ms for 8 KiB"


def facts(server: Server) -> dict[str, str]:
    """The facts that readers need to judge the figures."""
    memory = int(first_value("/proc/meminfo", "MemTotal").split()[0]) / 1024**2
    return {
        "Date": datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "Processor": f"{first_value('/proc/cpuinfo', 'model name')}, {os.cpu_count()} cores",
        "Memory": f"{memory:.1f} GiB",
        "File system": file_system(server.folder.resolve()),
        "Durable write": durable_write(server.folder.resolve()),
        "Kernel": f"{platform.system()} {platform.release()}",
        "PostgreSQL": server.connect().execute("show server_version").fetchone()[0],
        "certvakt": Installation(server, programs=binary().parent).run(["--version"]).split()[-1],
    }


def settings(server: Server) -> dict[str, str]:
    """The server's settings: all that differ from the defaults, and the most relevant others."""
    rows = server.connect().execute(
        "select name, current_setting(name) from pg_settings"
        " where name = any (%s) or (source in ('command line', 'configuration file') and setting <> boot_val)"
        " order by name",
        [list(ASKED_ABOUT)],
    )
    # Addresses, and the locale settings of initdb, do not change the cost.
    no_cost = ("port", "unix_socket", "listen_", "TimeZone", "log_", "lc_", "default_text_search")
    return {name: value for name, value in rows if not name.startswith(no_cost)}
