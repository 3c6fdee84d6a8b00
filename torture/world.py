"""The plan of a round: its people, nights, changes and faults, drawn only from the seed and the round's
number. The outcome depends on timing, but the plan does not."""

from __future__ import annotations

import random
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from torture.calendar import STAGES, local

# The days around the nights: clock changes, a leap day, a year's end. All are in the future, because
# `verify` cannot verify notices older than 180 days, which retention may have deleted.
TURNS = {
    "Europe/Oslo": [(2027, 3, 28), (2027, 10, 31), (2028, 3, 26), (2028, 10, 29)],
    "America/New_York": [(2027, 3, 14), (2027, 11, 7)],
    "Pacific/Auckland": [(2027, 4, 4), (2027, 9, 26)],
}
ANYWHERE = [(2028, 2, 29), (2028, 3, 1), (2027, 12, 31), (2032, 2, 29)]
# The possible behaviours of a device's provider before it accepts a message.
TROUBLE = ["down", "quota", "broken", "slow", "drop", "late"]
FAULTS = {
    "run": ["kill", "terminate_backend", "kill_backend", "quit_server", "kill_server", "full_disk", "cut",
            "half_close", "slow_line", "silent_line"],
    "work": ["kill", "kill_all", "pause", "pause", "terminate_backend", "kill_backend", "quit_server",
             "kill_server", "full_disk", "cut", "half_close", "slow_line", "silent_line"],
}  # fmt: skip


# The portal's possible faults for a method: `drop` accepts the change and `lose` does not, both without a
# response; `hold` accepts it, and responds after the phase's changes.
PORTAL = [("POST", 429), ("POST", 503), ("POST", "drop"), ("POST", "lose"), ("POST", "lose"),
          ("POST", "hold"), ("POST", "hold"), ("GET", 503), ("GET", "drop")]  # fmt: skip


@dataclass(frozen=True)
class State:
    """A state of a certification, with its mentor's consent to being listed."""

    expires_at: datetime | None
    suspended: bool = False
    consents: bool = False


@dataclass(frozen=True)
class Mentor:
    certification: UUID
    person: UUID
    devices: tuple[str, ...]
    state: State
    # The portal's key for the mentor; None if the mentor is not enrolled.
    key: str | None = None


@dataclass(frozen=True)
class Change:
    """A change of a certification: `state` is the new state, or None for a deletion."""

    kind: str
    mentor: Mentor
    state: State | None


@dataclass(frozen=True)
class Fault:
    """A fault, with its time in seconds after the start of the phase's programs."""

    kind: str
    after: float
    # A parameter from 0 to 1: which program, how many bytes, how full.
    where: float


@dataclass(frozen=True)
class Phase:
    """Programs that start together at a moved time, with the events during their life."""

    programs: tuple[str, ...]
    now: datetime
    fault: Fault | None = None
    # The app's transactions, each with the seconds from its snapshot to its first change.
    changes: tuple[tuple[float, tuple[Change, ...]], ...] = ()
    # The contents of the file for `renew`.
    renewals: tuple[Change, ...] = ()
    # The portal's faults: the method, the fault, and the number of times.
    portal: tuple[tuple[str, str | int, int], ...] = ()


@dataclass
class Plan:
    """A round."""

    zone: ZoneInfo
    mentors: list[Mentor] = field(default_factory=list)
    phases: list[Phase] = field(default_factory=list)
    # The time of the end without faults.
    end: datetime | None = None
    # The number of additional people, without a device and all in the same stage: so many that a run
    # records them in parts.
    crowd: int = 0
    crowd_expires_at: datetime | None = None
    concurrency: int = 100
    batch: int = 500
    # The isolation level of the app's transactions.
    isolation: str = "read committed"
    # Whether the organisation has a partner.
    has_partner: bool = False

    @property
    def keys(self) -> list[str]:
        """The mentors who are or will be enrolled."""
        changed = [change.mentor for phase in self.phases for _, made in phase.changes for change in made]
        return sorted({mentor.key for mentor in [*self.mentors, *changed] if mentor.key})


def renews(before: datetime | None, after: datetime | None) -> bool:
    """Whether a new date starts a cycle; otherwise it is a correction."""
    return after is None or (before is not None and after > before)


class Drawing:
    """Draws a plan; `planned` is the state of each certification after everything drawn so far."""

    def __init__(self, seed: str, number: int):
        self.random = random.Random(f"{seed}/{number}")
        zone = self.random.choice(["Europe/Oslo"] * 4 + ["America/New_York", "Pacific/Auckland"])
        self.plan = Plan(ZoneInfo(zone))
        self.turn = date(*self.random.choice(TURNS[zone] * 2 + ANYWHERE))
        self.planned: dict[Mentor, State | None] = {}
        # The same for people who are renewed only by files.
        self.by_file: dict[Mentor, State] = {}

    def uuid(self) -> UUID:
        return UUID(int=self.random.getrandbits(128), version=4)

    def expiry(self, near: date) -> datetime | None:
        """An expiry for which a stage starts or ends near a night."""
        r = self.random
        if r.random() < 0.03:
            return None
        last = near + timedelta(days=r.choice([*STAGES.values(), -31, 60]) + r.randint(-2, 3))
        at = r.choice([time(0), time(23, 59, 59), time(23, 59, 59), time(12), time(2, 30), time(0, 30)])
        return local(last, at, self.plan.zone)

    def device(self, calm: bool) -> str:
        r = self.random
        kind = r.choices(["ok", "lag", "trouble", "gone", "badfield"], [40, 20, 34, 3, 3])[0]
        if calm:
            kind = "ok"
        if kind == "trouble":
            kind = "seq." + ".".join(
                [*(r.choice(TROUBLE) for _ in range(r.choice([1, 1, 2]))), r.choice(["ok", "lag"])]
            )
        return f"{kind}-{self.uuid().hex}"

    def mentor(self, near: date, calm: bool = False) -> Mentor:
        r = self.random
        devices = r.choices([0, 1, 2], [1, 8, 1])[0]
        state = State(self.expiry(near), not calm and r.random() < 0.06)
        tokens = tuple(self.device(calm) for _ in range(devices))
        certification, person, key = self.uuid(), self.uuid(), None
        if self.plan.has_partner and r.random() < 0.8:
            state, key = replace(state, consents=r.random() < 0.7), f"M-{self.uuid().hex}"
        return Mentor(certification, person, tokens, state, key)

    def change(self, near: date) -> Change:
        """Draws a change: a renewal, suspension, reinstatement, correction, deletion or addition, or a
        change of consent."""
        r = self.random
        living = [mentor for mentor, state in self.planned.items() if state is not None]
        mentor = r.choice(living)
        state = self.planned[mentor]
        kind = r.choices(
            ["renew", "suspend", "reinstate", "correct", "delete", "erase", "add"], [8, 5, 5, 2, 2, 2, 2]
        )[0]
        if kind == "reinstate":
            withdrawn = [one for one in living if self.planned[one].suspended]
            mentor = r.choice(withdrawn) if withdrawn else mentor
            state = self.planned[mentor]
            kind = kind if withdrawn else "suspend"
        enrolled = [one for one in living if one.key]
        if enrolled and r.random() < 0.4:
            mentor = r.choice(enrolled)
            state = self.planned[mentor]
            change = Change("consent", mentor, replace(state, consents=not state.consents))
        elif kind == "add":
            mentor = self.mentor(near)
            change = Change(kind, mentor, mentor.state)
        elif kind in ("delete", "erase"):
            change = Change(kind, mentor, None)
        elif kind in ("suspend", "reinstate"):
            change = Change(kind, mentor, replace(state, suspended=kind == "suspend"))
        else:
            moved = self.expiry(near if r.random() < 0.5 else near + timedelta(days=730))
            if moved == state.expires_at:
                moved = local(near, time(12, 1), self.plan.zone)
            kind = "renew" if renews(state.expires_at, moved) else "correct"
            # A renewal reinstates a mentor; a correction does not.
            suspended = state.suspended and kind == "correct"
            change = Change(kind, mentor, replace(state, expires_at=moved, suspended=suspended))
        self.planned[change.mentor] = change.state
        return change

    def changes(self, near: date, most: int, within: float) -> tuple:
        r = self.random
        transactions = r.randint(0, most)
        return tuple(
            (r.uniform(0, within), tuple(self.change(near) for _ in range(r.choice([1, 1, 2, 3]))))
            for _ in range(transactions)
        )

    def past(self) -> tuple[Change, ...]:
        """Draws past suspensions and reinstatements, for short and long histories."""
        return tuple(
            Change(kind, mentor, replace(state, suspended=kind == "suspend"))
            for mentor, state in self.planned.items()
            if not state.suspended
            for _ in range(self.random.choice([0, 1, 1, 2, 3, 10, 12]))
            for kind in ("suspend", "reinstate")
        )

    def renewals(self, near: date) -> tuple[Change, ...]:
        """Renews everybody in the files."""
        for mentor, state in self.by_file.items():
            last = max(near, state.expires_at.astimezone(self.plan.zone).date())
            later = last + timedelta(days=self.random.randint(1, 60))
            self.by_file[mentor] = replace(state, expires_at=local(later, time(23, 59, 59), self.plan.zone))
        return tuple(Change("renew", mentor, state) for mentor, state in self.by_file.items())

    def fault(self, of: str, within: float, likely: float) -> Fault | None:
        r = self.random
        if r.random() >= likely:
            return None
        return Fault(r.choice(FAULTS[of]), r.uniform(0, within), r.random())

    def at(self, day: date, times: list[time]) -> datetime:
        return local(day, self.random.choice(times), self.plan.zone)

    def moves(self, day: date, now: datetime) -> None:
        """Moves histories to rows during renewals; usually the move is interrupted and started again."""
        r = self.random
        for _ in range(r.choice([1, 1, 2])):
            renewing = [("renew",), ("renew",), ("renew", "run")] if self.by_file else []
            others = r.choice([(), ("normalise",), *renewing])
            renewals = self.renewals(day) if "renew" in others else ()
            midway = Fault("kill_midway", 0, r.random())
            fault = midway if r.random() < 0.5 else self.fault("run", 0.1, 0.5)
            changes = self.changes(day, 8, 0.06)
            self.plan.phases.append(Phase(("normalise", *others), now, fault, changes, renewals))

    def tells(self, day: date, now: datetime) -> None:
        """Sends changes to the partner while more changes happen, and compares its page."""
        r = self.random
        programs = r.choice([("sync",), ("sync",), ("sync", "sync"), ("sync", "reconcile"), ("sync", "run")])
        troubles = [(*r.choice(PORTAL), r.randint(1, 4)) for _ in range(r.choice([0, 1, 2, 2]))]
        changes = self.changes(day, 4, 0.2)
        self.plan.phases.append(
            Phase(programs, now, self.fault("work", 0.25, 0.6), changes, portal=tuple(troubles))
        )

    def night(self, day: date) -> None:
        """A run, or several concurrent ones, perhaps repeated; then the day's deliveries."""
        r = self.random
        add = self.plan.phases.append
        if r.random() < 0.6:
            add(Phase((), local(day, time(1), self.plan.zone), changes=self.changes(day, 3, 0)))
        programs = r.choice([("run",), ("run",), ("run", "run"), ("serve",), ("serve", "serve")])
        hours = [time(2), time(2, 30), time(3), time(4)]
        if programs[0] == "run":
            hours += [time(0), time(23, 59, 59), time(12)] if len(programs) == 1 else []
        now = self.at(day, hours)
        fault = self.fault("run", 0.12, 0.5)
        changes = self.changes(day, 3, 0.06)
        add(Phase(programs, now, fault, changes))
        if fault and r.random() < 0.5:
            add(Phase(("run",), now + timedelta(seconds=30)))
        if self.has_moves:
            self.moves(day, now + timedelta(seconds=30))
        if self.plan.has_partner and r.random() < 0.8:
            self.tells(day, now + timedelta(seconds=60))
        if r.random() < 0.2:
            return  # Nobody delivers on this day.
        programs = r.choice(
            [("work",), ("work", "work"), ("serve",), ("serve", "serve"), ("work", "run"), ("work",)]
        )
        noon = self.at(day + timedelta(days=now.astimezone(self.plan.zone).hour == 23),
                       [time(9), time(12), time(15), time(19, 59, 58), time(8, 59, 59)])  # fmt: skip
        changes = self.changes(day, 4, 0.3)
        add(Phase(programs, noon, self.fault("work", 0.5, 0.6), changes))

    def draw(self) -> Plan:
        r, plan = self.random, self.plan
        plan.has_partner = r.random() < 0.5
        nights = [self.turn - timedelta(days=r.randint(0, 2))]
        for _ in range(r.randint(1, 2)):
            # Usually the next night; sometimes one or a few are skipped.
            nights.append(nights[-1] + timedelta(days=r.choice([1, 1, 1, 2, 2, 3, 9, 24])))
        for _ in range(r.randint(20, 34)):
            mentor = self.mentor(r.choice(nights))
            plan.mentors.append(mentor)
            is_of_files = mentor.state.expires_at is not None and r.random() < 0.2
            (self.by_file if is_of_files else self.planned)[mentor] = mentor.state
        plan.phases.append(Phase((), local(nights[0], time(0), plan.zone), changes=((0, self.past()),)))
        self.has_moves = r.random() < 0.7
        plan.isolation = r.choice(["read committed", "repeatable read"])
        plan.concurrency = r.choice([8, 40, 100, 100])
        plan.batch = r.choice([5, 20, 500])
        if r.random() < 0.04:
            plan.crowd = 10_500
            last = nights[0] + timedelta(days=r.choice(list(STAGES.values())))
            plan.crowd_expires_at = local(last, time(23, 59, 59), plan.zone)
            fault = Fault(r.choice(FAULTS["run"]), r.uniform(0, 1), r.random())
            plan.phases.append(
                Phase((r.choice(["run", "serve"]),), local(nights[0], time(2), plan.zone), fault)
            )
        for day in nights:
            self.night(day)
        plan.end = local(nights[-1] + timedelta(days=1), time(12), plan.zone)
        return plan


def draw(seed: str, number: int) -> Plan:
    """The plan of a round."""
    return Drawing(seed, number).draw()


def plain(seed: str, now: datetime) -> Plan:
    """A round at the real date, far from midnight, without faults and changes."""
    drawing = Drawing(seed, 0)
    plan = drawing.plan
    plan.zone = min(map(ZoneInfo, TURNS), key=lambda zone: abs(now.astimezone(zone).hour - 12))
    today = now.astimezone(plan.zone).date()
    plan.has_partner = True
    plan.mentors = [drawing.mentor(today, calm=True) for _ in range(30)]
    noon = local(today, time(12), plan.zone)
    plan.phases = [Phase((program,), noon) for program in ("run", "work", "sync", "reconcile")]
    plan.end = noon
    return plan
