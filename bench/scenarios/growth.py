"""P5: the same number of due certifications among ten times as many."""

from statistics import median

from bench import floors, tables
from bench.register import FAR_AHEAD, IN_A_STAGE, Register
from bench.results import Comparison
from bench.scenarios.recording import first_run, floor
from bench.session import Session
from bench.tables import DELIVERIES, LOG

ONE, TEN = "1 x as many", "10 x as many"


def run_all(session: Session) -> None:
    sizes = session.sizes
    small, large = session.due, session.tenfold
    session.say(f"generating {sizes.tenfold:,} certifications, {sizes.due:,} inside a stage")
    large.fill(sizes.tenfold, sizes.due, IN_A_STAGE, FAR_AHEAD)
    both: list[tuple[str, Register]] = [(ONE, small), (TEN, large)]
    for _, register in both:
        register.remember_run()
        tables.make_bare_copies(register.connection, [LOG, DELIVERIES])
    for _ in session.each_round("growth"):
        for name, register in both:
            first_run(session, register, f"certvakt run, {name}")
            floor(session, register, f"psql, bare inserts, {name}", [LOG, DELIVERIES])
    for register in (small, large):
        register.delete_runs()
        floors.prepare(register, [LOG, DELIVERIES])
    seconds = session.samples.seconds
    growth = {
        side: [
            ten / one for one, ten in zip(seconds[f"{what}, {ONE}"], seconds[f"{what}, {TEN}"], strict=True)
        ]
        for side, what in (("ours", "certvakt run"), ("other", "psql, bare inserts"))
    }

    def grown(what: str) -> float:
        return median(seconds[f"{what}, {TEN}"]) / median(seconds[f"{what}, {ONE}"])

    ours, other = grown("certvakt run"), grown("psql, bare inserts")
    session.comparisons.append(
        Comparison(
            "P5",
            "growth of certvakt run",
            "growth of psql, bare inserts of log and deliveries",
            "x",
            ours,
            other,
            ours / other,
            "<= 1.1",
            growth,
        )
    )
