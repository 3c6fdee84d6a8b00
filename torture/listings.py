"""Checks the listing at the partner's portal: the events, the sent states, the portal's page and the output
of `status`. A part of the oracle, without I/O."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from datetime import datetime, time, timedelta
from uuid import UUID

from torture.calendar import local
from torture.facts import LEASE, Facts, Life, Look, Version, Violation
from torture.ledger import Event

# The tolerated difference between two readings of a clock, in seconds; and the maximum time from a sync's
# read of a state to the portal's receipt, if the sync reads the portal's state before.
TICK, SENDING = 0.01, 1.5
SENDERS = {"sync", "serve"}
WORDS = {True: "listed", False: "delisted"}


def judge(facts: Facts) -> Iterator[Violation]:
    if facts.portal is None:
        return
    judgement = Judgement(facts)
    for check in (judgement.events, judgement.told, judgement.looks, judgement.end):
        yield from check()


class Judgement:
    def __init__(self, facts: Facts):
        self.facts, self.portal = facts, facts.portal
        # The certifications of the enrolled mentors.
        self.keys = {
            mentor.key: certification for certification, mentor in facts.mentors.items() if mentor.key
        }
        # The times when a program was suspended for longer than its lease and sent an outdated state
        # afterwards.
        self.slept = [
            window
            for window in facts.windows
            if window.kind == "pause"
            and any(
                life.kind in SENDERS and life.start <= window.end and window.start <= life.end
                for life in facts.lives
            )
        ]

    # The rule

    def over(self, version: Version) -> datetime | None:
        """The end of the last valid day."""
        expires_at = version.state and version.state.expires_at
        if expires_at is None:
            return None
        last = expires_at.astimezone(self.facts.zone).date()
        return local(last + timedelta(days=1), time(0), self.facts.zone)

    def is_listed(self, version: Version, now: datetime) -> bool:
        """Whether a mentor belongs on the listing at a time."""
        state, over = version.state, self.over(version)
        return (
            state is not None
            and state.consents
            and not state.suspended
            and (state.expires_at is None or now < over)
        )

    def senders(self, at: float) -> list[Life]:
        return [
            life
            for life in self.facts.lives
            if life.kind in SENDERS and life.start - TICK <= at <= life.end + TICK
        ]

    # Events

    def events(self) -> Iterator[Violation]:
        """Checks that every transition has exactly one event, in order."""
        written = defaultdict(list)
        for event in self.portal.events:
            written[event.key].append(event)
        for key in written.keys() - self.keys.keys():
            yield Violation("event_of_nobody", f"{written[key]}")
        for key, certification in self.keys.items():
            events = written[key]
            wanted = [(number, WORDS[number % 2 == 1]) for number in range(1, len(events) + 1)]
            if [(event.number, event.status) for event in events] != wanted:
                yield Violation("events_out_of_order", f"{events}")
                continue
            fault = self.other_than_made(certification, events)
            if fault:
                known = self.facts.histories[certification]
                yield Violation(
                    "event_lost" if fault[0] else "event_of_nothing", f"{fault}: {events} of {known}"
                )

    def other_than_made(self, certification: UUID, events: list[Event]) -> tuple[bool, str] | None:
        """Compares the changes with the events, to find missing and superfluous events."""
        left, listed, before = list(events), False, Version(None, 0, 0)

        def lapsed(until: float) -> bool:
            """Whether the next event is for a last valid day that has passed."""
            if not (left and listed and left[0].written <= until + TICK and left[0].status == "delisted"):
                return False
            over, at = self.over(before), left[0].written
            return over is not None and any(life.told(at) >= over for life in self.senders(at))

        for version in self.facts.histories[certification]:
            if version.now is None:
                continue
            wanted = self.is_listed(version, version.now)
            is_before = bool(left) and left[0].written < version.sent - TICK
            if (is_before or wanted) and lapsed(version.done):
                left.pop(0)
                listed = False
            if left and left[0].written < version.sent - TICK:
                return False, f"nothing made {left[0]}"
            if wanted != listed:
                if not left or left[0].written > version.done + TICK:
                    return True, f"{version} made none"
                left.pop(0)
                listed = wanted
            before = version
        if lapsed(float("inf")):
            left.pop(0)
            listed = False
        if left:
            return False, f"nothing made {left[0]}"
        if listed != self.is_listed(before, self.facts.end):
            return True, "nobody found who has lapsed"
        return None

    # Sent states

    def told(self) -> Iterator[Violation]:
        """Checks that each sent state was current when a sync may have read it."""
        for told in self.portal.told:
            certification = self.keys.get(told.key)
            if certification is None:
                yield Violation("told_of_nobody", f"{told}")
                continue
            senders = self.senders(told.at) or self.senders(told.at - SENDING)
            since = max(told.at - SENDING, min((life.start for life in senders), default=told.at))
            answers = {
                self.is_listed(version, life.told(at))
                for version in self.facts.seen(certification, since, told.at)
                for life in senders
                for at in (since, told.at)
            }
            slept = any(window.start <= told.at <= window.end + LEASE for window in self.slept)
            if told.is_listed not in answers and not slept:
                known = self.facts.histories[certification]
                name = "told_listed" if told.is_listed else "told_delisted"
                yield Violation(name, f"{told} since {since} by {senders}: {known}")

    # The portal's page

    def present(self, look: Look) -> dict[str, Version]:
        """The state of each mentor at a check of the page."""
        return {
            key: [version for version in self.facts.histories[certification] if version.done <= look.at][-1]
            for key, certification in self.keys.items()
            if self.facts.histories[certification][0].done <= look.at
        }

    def looks(self) -> Iterator[Violation]:
        """Checks that `status` reports wrongly listed mentors, with the age, and missing mentors."""
        for look in self.portal.looks:
            present = self.present(look)
            listed = {key for key, version in present.items() if self.is_listed(version, look.now)}
            wrongly = look.page - listed
            age = max(((look.now - self.since(key, look)).total_seconds() for key in wrongly), default=0)
            says = look.standing["to_delist"] + look.standing["still_shown"]
            known = look.standing["oldest_removal_seconds"]
            if wrongly and (known < age - 1 or not (known or says)):
                facts = f"{sorted(wrongly)} were shown for {age} seconds: {look.standing}"
                yield Violation("divergence_unseen", facts)
            missing = listed - look.page
            if missing and not (look.standing["to_list"] or look.standing["not_shown"] or self.slept):
                yield Violation("divergence_unseen", f"{sorted(missing)} were missing: {look.standing}")

    def since(self, key: str, look: Look) -> datetime:
        """The time since which a mentor should no longer be listed."""
        since = None
        for version in self.facts.histories[self.keys[key]]:
            if version.now is None or version.done > look.at:
                continue
            if self.is_listed(version, version.now):
                since = self.over(version)
            elif since is None or since > version.now:
                since = version.now
        return min(since or look.now, look.now)

    def end(self) -> Iterator[Violation]:
        """Checks that the portal's data is correct when nothing is left to send, and that its page is
        correct and nothing is open after a comparison."""
        *_, told, compared = self.portal.looks
        for look, when in ((told, "told"), (compared, "compared")):
            if look is told and self.slept:
                # The comparison finds an outdated state from a suspended sync.
                continue
            present = self.present(look)
            listed = {key for key, version in present.items() if self.is_listed(version, look.now)}
            for name, keys in (("listed_wrongly", look.page - listed), ("not_listed", listed - look.page)):
                for key in sorted(keys):
                    yield Violation(name, f"{key} when all was {when}: {present.get(key)}")
        for one in self.portal.listings:
            is_open = one.accepted_number < one.number or one.confirmed_number < one.number
            if one.is_leased or one.is_in_doubt or is_open:
                yield Violation("partner_left", f"{one}")
