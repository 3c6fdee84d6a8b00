"""python -m bench [--quick] [--only P1,P7] [--rounds N] [--output FOLDER]"""

import argparse
import sys
import time
from pathlib import Path

from bench import machine, peers, report
from bench.results import TITLES
from bench.scenarios import (
    browsing,
    delivering,
    digests,
    growth,
    histories,
    importing,
    memory,
    pages,
    partners,
    quiet,
    recording,
)
from bench.session import FULL, QUICK, Session
from lab import program
from lab.certvakt import ROOT
from lab.postgres import Server

# The scenarios with their titles, in an order that keeps at most one large database on the disk. P11 uses
# the peaks of the others.
SCENARIOS = (
    (recording.run_all, {"P1", "P2", "P3", "P4", "P11", "P20", "P21"}),
    (digests.run_all, {"P24"}),
    (delivering.run_all, {"P7", "P8", "P9", "P11"}),
    (growth.run_all, {"P5"}),
    (quiet.run_all, {"P6"}),
    (memory.drain_tenfold, {"P11"}),
    (importing.run_all, {"P10", "P11", "P22"}),
    (memory.compare_peaks, {"P11"}),
    (pages.run_all, {"P12", "P13", "P14"}),
    (browsing.run_all, {"P18", "P19", "P23"}),
    (histories.run_all, {"P15", "P16"}),
    (partners.run_all, {"P17"}),
)
# The scenarios that also measure other programs.
BESIDE_PEERS = {"P2", "P3", "P7", "P8"}
# No checkpoint must happen during a measurement; there is one before each.
SETTINGS = {"max_wal_size": "8GB", "checkpoint_timeout": "1h"}


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="small sizes, three rounds: under three minutes")
    parser.add_argument(
        "--only", type=lambda text: set(text.split(",")), default=set(TITLES), metavar="P1,P7"
    )
    parser.add_argument("--rounds", type=program.at_least_one, help="number of rounds [5, with --quick 3]")
    parser.add_argument("--output", type=Path, default=ROOT / "target/bench", help="folder for the results")
    chosen = parser.parse_args()
    if unknown := chosen.only - set(TITLES):
        parser.error(f"there is no {', '.join(sorted(unknown))}: choose from {', '.join(TITLES)}")
    return chosen


def run(chosen: argparse.Namespace) -> None:
    sizes = QUICK if chosen.quick else FULL
    rounds = chosen.rounds or (3 if chosen.quick else 5)
    has_peers = not chosen.only.isdisjoint(BESIDE_PEERS)
    if has_peers:
        print("installing and building the peers", file=sys.stderr, flush=True)
        peers.install_node()
        peers.build_rust()
    began = time.monotonic()
    with Server(SETTINGS) as server, Session(server, sizes, rounds, chosen.only) as session:
        facts, settings = machine.facts(server), machine.settings(server)
        if has_peers:
            facts |= peers.versions()
        for name, value in (facts | settings).items():
            print(f"  {name}: {value}", file=sys.stderr)
        print(
            "  Before each measurement: restored tables, VACUUM (ANALYZE), CHECKPOINT.",
            file=sys.stderr,
        )
        for scenario, answers in SCENARIOS:
            if session.wants(*answers):
                scenario(session)
        found = [one for one in session.comparisons if one.id in chosen.only]
    found.sort(key=lambda one: list(TITLES).index(one.id))
    minutes = (time.monotonic() - began) / 60
    scale = (
        f"{sizes.certifications:,} certifications ({sizes.tenfold:,} where it says ten times as many),"
        f" {sizes.due:,} due, {sizes.imported:,} rows imported; medians of {rounds} rounds, in one run of"
        f" {minutes:.0f} minutes."
    )
    text = report.markdown(found, session.details, facts, settings, scale)
    report.write(chosen.output, found, text)
    print(f"\n{report.terminal_table(found)}\n")
    print(f"{chosen.output}/performance.md, results.json and a chart of each; in {minutes:.1f} minutes.")


def main() -> int:
    try:
        run(arguments())
    # Includes the lab's errors for failed commands.
    except RuntimeError as wrong:
        print(f"\nError, no result: {wrong}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    program.run(main)
