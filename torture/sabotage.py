"""python -m torture.sabotage: checks that the oracle can fail. Builds copies of the source, in each of
which one patch removes a safety measure. Each must pass a round without faults, and must then be caught
with the expected violation."""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import shutil
import subprocess
from pathlib import Path

from lab import program
from lab.certvakt import ROOT, binary
from torture.__main__ import LANES
from torture.campaign import Campaign

# The patches, with the violations of which one must be found.
SABOTAGES = {
    "check_then_insert": ("recorded_twice",),
    "finish_without_lease": ("finished_without_lease", "told_after_delivered"),
    "mark_before_sending": ("delivered_not_accepted",),
    "clock_instead_of_argument": ("untrue_reason",),
    "append_without_moving": ("history_torn",),
    "take_silence_for_yes": ("divergence_unseen", "not_listed", "listed_wrongly"),
}
# Most are caught within a few rounds; the rarest needs a program that is suspended at a certain time.
ROUNDS, SECONDS = 180, 900
PATCHES = Path(__file__).parent / "sabotage"
PLACE = ROOT / "target" / "torture"


def copy(source: Path, to: Path) -> None:
    """Copies the files of a checkout that git tracks or would track."""
    shutil.rmtree(to, ignore_errors=True)
    listing = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(listing, cwd=source, check=True, capture_output=True, text=True).stdout
    for name in filter(None, names.split("\0")):
        if (source / name).is_file():
            (to / name).parent.mkdir(parents=True, exist_ok=True)
            # With the current time, because cargo treats files older than its last build as built.
            shutil.copy(source / name, to / name)


def patch(name: str, copied: Path) -> None:
    """Applies a patch, and reuses the offline query data, which is stored by the hash of a query, for the
    changed queries: a patch must keep parameters and columns."""
    queries = {path: path.read_text(encoding="utf-8") for path in copied.glob("crates/store/src/**/*.sql")}
    command = ["patch", "--strip=1", "--fuzz=1", "--quiet", f"--input={PATCHES / name}.patch"]
    subprocess.run(command, cwd=copied, check=True)
    for path, before in queries.items():
        after = path.read_text(encoding="utf-8")
        if after != before:
            answers = json.loads((copied / answer(before)).read_text(encoding="utf-8"))
            answers |= {"query": after, "hash": digest(after)}
            (copied / answer(after)).write_text(json.dumps(answers), encoding="utf-8")


def digest(query: str) -> str:
    return hashlib.sha256(query.encode()).hexdigest()


def answer(query: str) -> str:
    return f".sqlx/query-{digest(query)}.json"


def lend_dependencies() -> None:
    """Links the built dependencies of the checkout, so that they are not built again. Cargo creates new
    files for the copies, and never writes to the linked ones."""
    built, lent = ROOT / "target" / "debug", PLACE / "build" / "debug"
    if lent.exists() or not built.exists():
        return
    for part in (".fingerprint", "build", "deps"):
        shutil.copytree(built / part, lent / part, copy_function=os.link, symlinks=True)


def build(name: str, copied: Path) -> Path:
    """Builds the binary, and returns its folder, which also contains the stand-in without the patch."""
    environment = os.environ | {"SQLX_OFFLINE": "true", "CARGO_TARGET_DIR": str(PLACE / "build")}
    subprocess.run(
        ["cargo", "build", "--quiet", "--bin", "certvakt"], cwd=copied, check=True, env=environment
    )
    programs = PLACE / f"{name}-programs"
    programs.mkdir(exist_ok=True)
    shutil.copy2(PLACE / "build" / "debug" / "certvakt", programs)
    shutil.copy2(binary("fcm-stand-in"), programs)
    return programs


def check(name: str, violations: tuple[str, ...], seed: str, source: Path) -> bool:
    """Checks that a patch passes without faults, and is caught with faults."""
    copied = PLACE / name
    lend_dependencies()
    copy(source, copied)
    patch(name, copied)
    programs = build(name, copied)
    ordinary = os.environ.get("CERTVAKT_BINARIES")
    os.environ["CERTVAKT_BINARIES"] = str(programs)
    try:
        plain = Campaign(seed, [0], say=lambda _: None, is_plain=True)
        plain.go(1)
        if plain.found:
            print(f"sabotage {name}: fails a round without faults: {dict(plain.names)}", flush=True)
            print(plain.found, flush=True)
            return False
        rounds = list(range(1, ROUNDS + 1))
        played = Campaign(seed, rounds, SECONDS, say=lambda _: None, wanted=frozenset(violations))
        played.go(LANES)
    finally:
        if ordinary is None:
            del os.environ["CERTVAKT_BINARIES"]
        else:
            os.environ["CERTVAKT_BINARIES"] = ordinary
    caught = not played.names.keys().isdisjoint(violations)
    verdict = "caught as" if caught else "NOT caught as"
    print(
        f"sabotage {name}: passes without faults, {verdict} {' or '.join(violations)} within {played.played} "
        f"rounds {dict(played.names)}, seed {seed}",
        flush=True,
    )
    if not caught:
        print(played.found, flush=True)
    return caught


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m torture.sabotage", description=__doc__)
    parser.add_argument("--seed", default="1")
    parser.add_argument("--source", type=Path, default=ROOT, help="the checkout to copy [default: this one]")
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(SABOTAGES)} [default: all]")
    arguments = parser.parse_args()
    if unknown := set(arguments.names) - set(SABOTAGES):
        parser.error(f"there is no {', '.join(sorted(unknown))}: choose from {', '.join(SABOTAGES)}")
    names = arguments.names or list(SABOTAGES)
    passed = [check(name, SABOTAGES[name], arguments.seed, arguments.source) for name in names]
    return 0 if all(passed) else 1


if __name__ == "__main__":
    program.run(main)
