"""Checks a round, without I/O: it gets the facts, and has its own copy of the rules."""

from __future__ import annotations

import re
import signal
from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from uuid import UUID
from zoneinfo import ZoneInfo

from torture import histories, listings
from torture.calendar import OPEN_FROM, OPEN_UNTIL, STAGES, TOLD_AGAIN, Notice, current, scheduled
from torture.facts import LEASE, TIMEOUT, Facts, Life, Message, Version, Violation
from torture.ledger import Attempt, Delivery, Logged, Run
from torture.program import CHECKS

# The maximum time of a process between two readings of the clock, in seconds.
SLACK = 0.5


class Oracle:
    """The check of one round."""

    def __init__(self, facts: Facts):
        self.facts = facts
        self.log = {row.key: row for row in facts.ledger.log}
        self.last = {certification: known[-1] for certification, known in facts.histories.items()}
        self.attempts = defaultdict(list)
        for attempt in facts.ledger.attempts:
            self.attempts[attempt.delivery].append(attempt)
        self.repeats = 0

    def judge(self) -> list[Violation]:
        checks = [
            self.recorded, self.log_stays, self.deliveries, self.attempts_end_once, self.sent,
            self.statuses, self.programs, self.runs,
        ]  # fmt: skip
        found = [violation for check in checks for violation in check()]
        found += histories.judge(self.facts)
        found += listings.judge(self.facts)
        found += [Violation("run_missed", text) for text in self.facts.overdue]
        return found

    # Recorded notices

    def due(self, certification: UUID, version: Version, run: Run) -> tuple[Notice | None, bool]:
        """The notice that a run must have recorded if it saw this version, and whether it may have skipped
        it because the stage may have been sent before a correction."""
        if version.state is None or version.state.suspended:
            return None, False
        notice = current(certification, version.state.expires_at, run.run_date, self.facts.zone)
        if notice is None:
            return None, False
        told = self.told(notice, version, run.started_at.timestamp(), run.finished_at.timestamp())
        return (None, False) if told == "surely" else (notice, told == "perhaps")

    def answers(self, run: Run) -> Iterator[tuple[UUID, list[tuple[Notice | None, bool]]]]:
        """The possible results of a run for each certification, one for each version that it may have
        seen."""
        start, end = run.started_at.timestamp(), run.finished_at.timestamp()
        for certification in self.facts.histories:
            versions = self.facts.seen(certification, start, end)
            yield certification, [self.due(certification, version, run) for version in versions]

    def broken_runs(self) -> Iterator[Run]:
        """The runs with faults, which may have recorded only a part of their notices."""
        for life in self.facts.lives:
            if life.disturbed and life.kind in ("run", "serve"):
                started, finished = (datetime.fromtimestamp(at, UTC) for at in (life.start, life.end + SLACK))
                for told in {life.told(life.start), life.told(life.end)}:
                    local = told.astimezone(self.facts.zone).date()
                    date = local if life.kind == "run" else scheduled(told, self.facts.zone)
                    yield Run(date, "failed", started, finished)

    def told(self, notice: Notice, version: Version, start: float, end: float) -> str:
        """Whether the stage of a notice was already sent in the version's cycle: surely, perhaps or no."""
        known = self.facts.histories[notice.certification]
        upto = known[: known.index(version) + 1]
        began = max((v for v in upto if v.opens_cycle), key=lambda v: v.sent)
        if not any(is_correction(a, b) for a, b in pairwise(upto)):
            return "no"
        answer = "no"
        for delivery in self.facts.ledger.deliveries:
            moved = (notice.due - delivery.due).days
            is_other = (delivery.certification, delivery.stage) == (notice.certification, notice.stage)
            if not is_other or moved == 0 or moved >= TOLD_AGAIN:
                continue
            recorded = delivery.recorded.timestamp()
            if recorded < began.sent - SLACK or recorded > end or not self.was_claimed(delivery):
                continue
            finished = delivery.finished_at and delivery.finished_at.timestamp()
            if delivery.state == "delivered" and finished < start and recorded > began.done:
                return "surely"
            answer = "perhaps"
        return answer

    def was_claimed(self, delivery: Delivery) -> bool:
        return delivery.attempt > 0 or bool(self.attempts[delivery.id])

    def recorded(self) -> Iterator[Violation]:
        """Checks that the log contains exactly the due notices, once each."""
        may: set[str] = set()
        for run in self.facts.ledger.runs:
            if run.state != "complete":
                continue
            for certification, answers in self.answers(run):
                may.update(notice.key for notice, _ in answers if notice)
                first, *others = answers
                is_certain = first[0] and not first[1] and all(other == first for other in others)
                if is_certain and self.last[certification].state and first[0].key not in self.log:
                    yield Violation("lost", f"{first[0]} was due in the run of {run.run_date}")
        if self.facts.in_parts:
            for run in self.broken_runs():
                may.update(notice.key for _, answers in self.answers(run) for notice, _ in answers if notice)
        for row in self.facts.ledger.log:
            if row.key not in may:
                yield Violation("not_due", f"{row} was due in no run")
            if row.recipient != self.facts.mentors[row.certification].person:
                yield Violation("wrong_recipient", f"{row}")
        for what, rows in (
            ("key", [row.key for row in self.facts.ledger.log]),
            ("stage", [(d.certification, d.stage, d.due) for d in self.facts.ledger.deliveries]),
        ):
            for one, times in Counter(rows).items():
                if times > 1:
                    yield Violation("recorded_twice", f"the {what} {one} is there {times} times")

    def log_stays(self) -> Iterator[Violation]:
        """Checks that no row changed, and none disappeared except with its certification."""
        before: dict[str, Logged] = {}
        for rows in [*self.facts.logs, self.facts.ledger.log]:
            now = {row.key: row for row in rows}
            for key, row in before.items():
                if key in now and now[key] != row:
                    yield Violation("log_changed", f"{row} became {now[key]}")
                elif key not in now and self.last[row.certification].state is not None:
                    yield Violation("log_changed", f"{row} has gone, its certification has not")
            before = now

    # Deliveries

    def deliveries(self) -> Iterator[Violation]:
        """Checks that every notice has a delivery, with the right key and a true outcome."""
        deliveries = self.facts.ledger.deliveries
        for key in self.log.keys() - {delivery.key for delivery in deliveries}:
            yield Violation("lost", f"{self.log[key]} has no delivery")
        for delivery in deliveries:
            notice = Notice(delivery.certification, delivery.stage, delivery.due)
            if notice.key != delivery.key:
                yield Violation("wrong_key", f"{delivery}: the key of {notice} is {notice.key}")
            if delivery.state == "claimed":
                yield Violation("lease_left", f"{delivery}")
            elif delivery.state == "delivered":
                if not self.was_accepted(delivery):
                    yield Violation("delivered_not_accepted", f"{delivery}: {self.attempts[delivery.id]}")
            elif delivery.state == "pending":
                # Devices finally accept every message, and the round waited for that.
                yield Violation("left_pending", f"{delivery}: {self.attempts[delivery.id]}")
            elif not self.is_true(delivery, notice):
                yield Violation("untrue_reason", f"{delivery}: {self.attempts[delivery.id]}")

    def was_accepted(self, delivery: Delivery) -> bool:
        """Whether the provider accepted a message of a delivery since it was recorded; if the delivery has
        a message id, exactly that message."""
        named = {n for attempt in self.attempts[delivery.id] if (n := reference(attempt)) is not None}
        numbers = {
            message.number
            for message in self.facts.messages
            if (message.certification, message.stage) == (delivery.certification, delivery.stage)
            and message.at >= delivery.recorded.timestamp()
        }
        return bool(numbers) and named <= numbers

    def is_true(self, delivery: Delivery, notice: Notice) -> bool:
        """Whether the reason of a delivery that was not sent is true."""
        is_unreached = all(dead(device) for device in self.facts.mentors[delivery.certification].devices)
        if delivery.state == "unreachable":
            return is_unreached
        last = self.last[delivery.certification]
        final = Run(self.end_date(), "complete", *[self.facts.ledger.runs[-1].started_at] * 2)
        if delivery.finished_at is None or self.due(delivery.certification, last, final) == (notice, False):
            return False
        zone, at = self.facts.zone, delivery.finished_at.timestamp()
        versions = self.facts.seen(delivery.certification, at - LEASE - SLACK, at)
        expiries = [version.state.expires_at for version in versions if version.state]
        told = {life.told(at).astimezone(zone).date() for life in self.working(at)}
        ran = {run.run_date for run in self.facts.ledger.runs if run.state == "complete"}

        def has_passed(expiries: list[datetime | None], days: set[date]) -> bool:
            found = [current(notice.certification, one, day, zone) for one in expiries for day in days]
            return any(one != notice for one in found)

        return {
            "certification suspended": any(version.state.suspended for version in versions if version.state),
            "date changed": any(due_date(one, notice.stage, zone) != notice.due for one in expiries),
            "stage passed": has_passed(expiries, told),
            "nobody was reached before the stage passed": is_unreached
            and has_passed([delivery.expires_at], ran),
        }.get(delivery.reason, False)

    def end_date(self) -> date:
        return self.facts.end.astimezone(self.facts.zone).date()

    def attempts_end_once(self) -> Iterator[Violation]:
        """Checks that no outcome was recorded after a lost lease, and no attempt follows a successful
        delivery."""
        for delivery, attempts in self.attempts.items():
            outcomes = defaultdict(set)
            for attempt in attempts:
                outcomes[attempt.attempt].add(attempt.outcome)
            for number, said in outcomes.items():
                if "lease_lost" in said and len(said) > 1:
                    yield Violation("finished_without_lease", f"attempt {number} of {delivery}: {said}")
            delivered = [number for number, said in outcomes.items() if "delivered" in said]
            if len(delivered) > 1 or (delivered and max(outcomes) > delivered[0]):
                yield Violation("told_after_delivered", f"{delivery}: {attempts}")

    # Sent messages

    def sent(self) -> Iterator[Violation]:
        """Checks that every message was true and in time, that messages of one certification replace each
        other, and that surplus messages, without a recorded outcome, were sent during a fault."""
        known = {
            n for attempts in self.attempts.values() for a in attempts if (n := reference(a)) is not None
        }
        notices = Counter((d.certification, d.stage) for d in self.facts.ledger.deliveries)
        groups = defaultdict(list)
        for message in self.facts.messages:
            groups[message.device, message.certification, message.stage].append(message)
            if message.collapse_ids != {str(message.certification)}:
                yield Violation("other_collapse_id", f"{message}")
            yield from self.was_true(message)
        for (_, certification, stage), messages in groups.items():
            if self.last[certification].state is None:
                continue
            acknowledged = sum(message.number in known for message in messages)
            if len(messages) <= max(acknowledged, 1):
                continue
            self.repeats += len(messages) - max(acknowledged, 1)
            if acknowledged > notices[certification, stage]:
                yield Violation("repeat_outside_window", f"{messages} are more than notices")
            for message in messages:
                is_excused = message.behaviour in ("drop", "late") or self.in_window(message.at)
                if message.number not in known and not is_excused:
                    yield Violation("repeat_outside_window", f"{message} was not written down")

    def was_true(self, message: Message) -> Iterator[Violation]:
        zone = self.facts.zone
        times = [life.told(at) for at in (message.at, message.at - TIMEOUT) for life in self.working(at)]
        if not any(OPEN_FROM <= told.astimezone(zone).time() < OPEN_UNTIL for told in times):
            yield Violation("outside_hours", f"{message}: {times}")
        versions = self.facts.seen(message.certification, message.at - LEASE - SLACK, message.at)
        days = {told.astimezone(zone).date() for told in times}
        stages = {
            notice and notice.stage
            for version in versions
            if version.state and not version.state.suspended
            for notice in [
                current(message.certification, version.state.expires_at, day, zone) for day in days
            ]
        }
        # A program that was suspended sends the deliveries that it had claimed before.
        slept = any(w.kind == "pause" and w.start <= message.at <= w.end + LEASE for w in self.facts.windows)
        if message.stage not in stages and not slept:
            yield Violation("untrue_message", f"{message}: {versions}, {days}")

    def working(self, at: float) -> list[Life]:
        return [
            life
            for life in self.facts.lives
            if life.kind in ("work", "serve") and life.start <= at + SLACK and at - SLACK <= life.end
        ]

    def in_window(self, at: float) -> bool:
        """Whether a fault may have prevented recording the outcome of a message sent at a time. A program
        that has lost the server continues to send its claimed deliveries until the lease expires."""
        return any(
            window.start - TIMEOUT - SLACK <= at <= window.end + LEASE + SLACK
            for window in self.facts.windows
        )

    # Other checks

    def statuses(self) -> Iterator[Violation]:
        end = self.end_date()
        for row in self.facts.ledger.statuses:
            state = self.last[row.certification].state
            if state is None:
                continue
            last = state.expires_at and state.expires_at.astimezone(self.facts.zone).date()
            wanted = "suspended" if state.suspended else "expired" if last and last < end else "active"
            if row.status != wanted:
                yield Violation("wrong_status", f"{row.certification} is {row.status} with {state}")

    def programs(self) -> Iterator[Violation]:
        # Exit status 1 means that the app held locks on some histories; in the calm phase at the end,
        # nobody does.
        beside_app = [life for life in self.facts.lives if life.kind == "normalise"][:-1]
        for life in self.facts.lives:
            # Exit status 1 means that the portal refused or does not show a change; and a service may get
            # SIGTERM before it handles the signal.
            is_fine = (
                life.status == 0
                or (life.status == 1 and (life in beside_app or life.kind in ("sync", "reconcile")))
                or (life.status == -signal.SIGTERM and life.kind == "serve")
            )
            if not life.disturbed and not is_fine:
                yield Violation("verify_disagrees" if life.kind in CHECKS else "program_failed", f"{life}")

    def runs(self) -> Iterator[Violation]:
        """Checks that each run has the date of its program."""
        zone = self.facts.zone
        for run in self.facts.ledger.runs:
            start, end = run.started_at.timestamp(), run.finished_at.timestamp()
            days = set()
            for life in self.facts.lives:
                if life.start <= end and start <= life.end + SLACK:
                    told = [life.told(max(life.start, start - SLACK)), life.told(end)]
                    if life.kind == "run":
                        days |= {one.astimezone(zone).date() for one in told}
                    elif life.kind == "serve":
                        days |= {scheduled(one, zone) for one in told}
            if run.state != "missed" and run.run_date not in days:
                yield Violation("wrong_run_date", f"{run}: {days}")


def is_correction(before: Version, after: Version) -> bool:
    return bool(
        before.state
        and after.state
        and before.state.expires_at != after.state.expires_at
        and not after.opens_cycle
    )


def reference(attempt: Attempt) -> int | None:
    """The number of the accepted message in an attempt."""
    found = re.fullmatch(r"projects/[^/]+/messages/(\d+)", attempt.detail or "")
    return int(found[1]) if attempt.outcome == "delivered" and found else None


def dead(device: str) -> bool:
    """Whether a device never accepts a message."""
    return device.startswith(("gone-", "badfield-"))


def due_date(expires_at: datetime | None, stage: str, zone: ZoneInfo) -> date | None:
    return expires_at and expires_at.astimezone(zone).date() - timedelta(days=STAGES[stage])
