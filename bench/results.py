"""The comparisons, with their goals."""

from dataclasses import asdict, dataclass
from statistics import median

# The subject of each comparison.
TITLES = {
    "P1": "the first run",
    "P2": "recording vs. Graphile Worker's addJobs",
    "P3": "recording vs. a textbook cron job",
    "P4": "the run again, after a small import",
    "P5": "the same number due of ten times as many",
    "P6": "a quiet night",
    "P7": "a drain",
    "P8": "a drain vs. Graphile Worker",
    "P9": "a drain while another session holds a transaction open",
    "P10": "an import",
    "P11": "peak memory",
    "P12": "a coordinator's first page vs. a hand-written query",
    "P13": "a coordinator's first page vs. a textbook policy",
    "P14": "first pages by the API vs. the database alone",
    "P15": "a coordinator's first page of certifications with long histories",
    "P16": "histories moved to rows",
    "P17": "changes sent to a portal on Dataverse",
    "P18": "the page Today vs. its statements alone",
    "P19": "the list of certifications vs. its statements alone",
    "P20": "recording vs. a set-based SQL function",
    "P21": "six lead times over three types",
    "P22": "an import undone",
    "P23": "the statements and rows of every page",
    "P24": "the run with the digests of 500 coordinators",
}


@dataclass
class Comparison:
    """A comparison of `ours` with `other`. The goal bounds the ratio or, without `other`, our value."""

    id: str
    what: str
    against: str
    unit: str
    ours: float
    other: float | None
    ratio: float | None
    goal: str | None
    rounds: dict[str, list[float]]

    @property
    def met(self) -> bool | None:
        if self.goal is None:
            return None
        sign, bound = self.goal.split()
        reached = self.ours if self.ratio is None else self.ratio
        return reached <= float(bound) if sign == "<=" else reached >= float(bound)

    def as_dict(self) -> dict:
        return asdict(self) | {"met": self.met}


def compare(names: tuple[str, str, str], unit: str, ours, other, goal: str | None = None) -> Comparison:
    """Compares the medians of two lists of rounds; the names are the scenario, ours and the other."""
    mine, theirs = median(ours), median(other)
    rounds = {"ours": list(ours), "other": list(other)}
    return Comparison(*names, unit, mine, theirs, mine / theirs, goal, rounds)


def figure(value: float | None, unit: str) -> str:
    """Formats a value for people."""
    if value is None:
        return ""
    if unit == "1/s":
        return f"{value:,.0f} a second"
    if unit in ("statements", "rows"):
        return f"{value:,.0f} {unit}"
    if unit == "x":
        return f"{value:.2f} x"
    return f"{value:,.3f} {unit}" if unit in ("s", "ms") else f"{value:,.1f} {unit}"


def row(one: Comparison) -> tuple[str, ...]:
    """A comparison as a line of a table."""
    goal = (one.goal or "").replace("<=", "at most").replace(">=", "at least")
    is_met = {True: "yes", False: "NO", None: ""}[one.met]
    ratio = "" if one.ratio is None else f"{one.ratio:.3f} x"
    unit = "" if not goal else " x" if one.ratio is not None else f" {one.unit}"
    return (
        one.id,
        one.what,
        figure(one.ours, one.unit),
        one.against,
        figure(one.other, one.unit),
        ratio,
        goal + unit,
        is_met,
    )
