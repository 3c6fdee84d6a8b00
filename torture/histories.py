"""Checks the histories of certifications: the storage of their entries, their contents, and the results of
a reader. A part of the oracle, without I/O."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from datetime import datetime
from itertools import pairwise

from torture.facts import Facts, Version, Violation
from torture.ledger import History
from torture.world import renews

# The minimum (unless there are fewer) and maximum number of newest entries that a certification holds
# itself when its history is rows.
NEWEST, HELD = 20, 200
# The tolerated difference between two readings of a clock, in seconds.
SLACK = 0.05


def judge(facts: Facts) -> Iterator[Violation]:
    for kept in facts.kept:
        found = [violation for history in kept for violation in stands(history)]
        yield from found
        if found:
            # A violation after a phase usually persists.
            break
    yield from made(facts)
    yield from prolonged(facts)
    if any(life.kind == "normalise" for life in facts.lives):
        # The last phase had no faults.
        for history in facts.kept[-1]:
            if not history.rows:
                yield Violation("history_left", f"{history.certification}: {brief(history.own)}")


def stands(history: History) -> Iterator[Violation]:
    """Checks that a history is stored completely as rows or completely in the certification, is consistent,
    and is read completely."""
    held = len(history.own)
    if history.rows and (
        history.numbers != list(range(1, len(history.rows) + 1))
        or not min(NEWEST, len(history.rows)) <= held <= HELD
        or history.own != history.rows[-held:]
    ):
        parts = f"the rows {history.numbers} {brief(history.rows)}, and itself {brief(history.own)}"
        yield Violation("history_torn", f"{history.certification} has {parts}")
    whole = history.rows or history.own
    if history.read != whole:
        answer = f"{brief(history.read)} is read of {brief(whole)}"
        yield Violation("history_misread", f"{history.certification}: {answer}")
    for before, entry in pairwise([None, *whole]):
        if entry["previous"] != (before and digest(before)):
            yield Violation("chain_broken", f"{history.certification}: {entry} follows {before}")


def digest(entry: dict) -> str:
    """The hexadecimal SHA-256 of the RFC 8785 form, for objects with only texts, integers and lower-case
    keys."""
    text = json.dumps(entry, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


def made(facts: Facts) -> Iterator[Violation]:
    """Checks that every change has exactly one entry, in order and with its time."""
    last = {history.certification: history.read for history in facts.kept[-1]}
    for certification, versions in facts.histories.items():
        if versions[-1].state is None:
            continue
        wanted = [
            (kind, before.state.expires_at, after.state.expires_at, after)
            for before, after in pairwise(versions)
            for kind in kinds(before, after)
        ]
        entries = last.get(certification, [])
        told = [
            (one["kind"], instant(one["expires_before"]), instant(one["expires_after"])) for one in entries
        ]
        if told != [one[:3] for one in wanted]:
            changes = "; ".join(f"{kind} to {after}" for kind, _, after, _ in wanted)
            yield Violation("history_other_than_made", f"{certification}: {changes} became {brief(entries)}")
            continue
        for entry, (*_, version) in zip(entries, wanted, strict=True):
            if not version.sent - SLACK <= instant(entry["at"]).timestamp() <= version.done + SLACK:
                yield Violation("history_other_than_made", f"{certification}: {entry} is of {version}")


def brief(entries: list[dict]) -> str:
    said = [f"{one['kind']} at {one['at']} to {one['expires_after']}" for one in entries]
    return f"[{'; '.join(said)}]"


def kinds(before: Version, after: Version) -> Iterator[str]:
    """The kinds of change between two versions, in the order of their entries."""
    old, new = before.state, after.state
    if old is None or new is None:
        return
    if new.expires_at != old.expires_at:
        yield "renewed" if renews(old.expires_at, new.expires_at) else "corrected"
    if new.suspended != old.suspended:
        yield "suspended" if new.suspended else "reinstated"


def instant(text: str | None) -> datetime | None:
    return text and datetime.fromisoformat(text)


def prolonged(facts: Facts) -> Iterator[Violation]:
    """Checks that each result of a reader extends the previous one."""
    for certification, answers in facts.reads.items():
        for before, after in pairwise(answers):
            if not after.startswith(before.removesuffix("]")):
                told = " became ".join(brief(json.loads(answer)) for answer in (before, after))
                yield Violation("history_unread", f"{certification}: {told}")
