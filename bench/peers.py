"""Other programs for the same task: Graphile Worker in Node and in Rust, and a textbook cron job.

They are installed and built into target/bench/ before any measurement."""

import json
import os
import shutil
import subprocess
from pathlib import Path

from bench.measure import Measurement, Wrong, measure
from lab.certvakt import ROOT
from lab.postgres import Server
from lab.stand_in import StandIn

SOURCES = Path(__file__).with_name("peers")
NODE = ROOT / "target/bench/node"
RUST = ROOT / "target/bench/peers"
DATABASE = "peers"
# HTTP/2 connections and concurrent messages for all programs: certvakt's defaults.
CONNECTIONS, CONCURRENCY = 2, 100
# The fastest value of each in a trial of 25, 50, 100, 200 and 400.
NODE_CONCURRENCY, RUST_CONCURRENCY = 200, 200
JOBS = {"node": "graphile_worker._private_jobs", "rust": "graphile_worker_rust._private_jobs"}


def run(command: list, **options) -> str:
    try:
        done = subprocess.run(command, check=False, capture_output=True, text=True, **options)
    except FileNotFoundError as missing:
        raise Wrong(f"there is no program {command[0]}: the peers need Node, npm and cargo") from missing
    if done.returncode != 0:
        raise Wrong(f"{' '.join(map(str, command))} ended with {done.returncode}:\n{done.stderr[-4000:]}")
    return done.stdout


def install_node() -> None:
    """The packages of the lock file, and the scripts beside them, where Node looks for packages."""
    NODE.mkdir(parents=True, exist_ok=True)
    for source in (SOURCES / "node").iterdir():
        shutil.copy(source, NODE)
    # Written last, into the folder that `npm ci` empties first, so its presence shows a complete
    # installation.
    lock, installed = NODE / "package-lock.json", NODE / "node_modules/.installed.json"
    if not installed.exists() or installed.read_bytes() != lock.read_bytes():
        run(["npm", "ci", "--no-audit", "--no-fund", "--loglevel=error"], cwd=NODE)
        shutil.copy(lock, installed)


def build_rust() -> None:
    manifest = SOURCES / "rust/Cargo.toml"
    run(["cargo", "build", "--release", "--locked", "--manifest-path", manifest, "--target-dir", RUST])


def versions() -> dict[str, str]:
    """The versions of the compared programs, for the report."""
    found = {"Node": run(["node", "--version"]).strip().removeprefix("v")}
    for name in ("graphile-worker", "pg"):
        package = json.loads((NODE / "node_modules" / name / "package.json").read_text(encoding="utf-8"))
        found[f"{name} (npm)"] = package["version"]
    lines = (SOURCES / "rust/Cargo.lock").read_text(encoding="utf-8").splitlines()
    for name in ("graphile_worker", "reqwest", "tokio"):
        version = lines[lines.index(f'name = "{name}"') + 1]
        found[f"{name} (crate)"] = version.partition('"')[2].rstrip('"')
    found["rustc"] = run(["rustc", "--version"]).split()[1]
    return found


class Peers:
    """The peers, on a separate database in the same server."""

    def __init__(self, server: Server):
        server.connect().execute(f"create database {DATABASE}")
        self.address = server.address(database=DATABASE)
        self.connection = server.connect(DATABASE)
        self.environment = os.environ | {"DATABASE_URL": self.address, "NODE_ENV": "production"}

    def prepare(self, peer: str) -> None:
        """The same preparation as before each measurement of certvakt."""
        self.connection.execute(f"vacuum (analyze) {JOBS[peer]}")
        self.connection.execute("checkpoint")

    def clear(self, peer: str) -> None:
        if self.connection.execute("select to_regclass(%s)", [JOBS[peer]]).fetchone()[0]:
            self.connection.execute(f"truncate {JOBS[peer]} cascade")
            self.prepare(peer)
        else:
            self.connection.execute("checkpoint")

    def left(self, peer: str) -> int:
        return self.connection.execute(f"select count(*) from {JOBS[peer]}").fetchone()[0]

    def add(self, peer: str, jobs: Path) -> Measurement:
        """Adds the jobs in a file."""
        if peer == "node":
            return measure(["node", NODE / "add-jobs.mjs", jobs], self.environment)
        return measure([RUST / "release/graphile-worker-peer", "add", self.address, jobs])

    def work(self, peer: str, service: StandIn, jobs: int) -> Measurement:
        """Processes the added jobs."""
        account = service.folder / "service-account.json"
        if peer == "node":
            settings = [service.address, account, jobs, CONNECTIONS, NODE_CONCURRENCY]
            return measure(["node", NODE / "work.mjs", *settings], self.environment)
        settings = [self.address, service.address, account, jobs, CONNECTIONS, RUST_CONCURRENCY]
        return measure([RUST / "release/graphile-worker-peer", "work", *settings])


def bare_loop(service: StandIn, messages: Path) -> Measurement:
    """The floor of a drain: the same requests, nothing recorded."""
    account = service.folder / "service-account.json"
    command = [RUST / "release/bare-loop", service.address, account, messages, CONNECTIONS, CONCURRENCY]
    return measure(command)


def cron(address: str, date: str, rows: int) -> Measurement:
    """The textbook cron job, on the database at `address`."""
    return measure(["node", NODE / "cron.mjs", date, rows], os.environ | {"DATABASE_URL": address})
