"""P11: the peak memory of the three commands, in a full benchmark also at ten times the size."""

from bench.measure import expect
from bench.results import Comparison
from bench.scenarios import delivering, importing, quiet, recording
from bench.session import Session
from bench.tables import ATTEMPTS, DELIVERIES, LOG
from lab.stand_in import StandIn

LIMIT = 64
DRAIN_TENFOLD = "certvakt work --drain, 10 x as many"


def compare_peaks(session: Session) -> None:
    names = [recording.RUN, delivering.DRAIN, importing.IMPORT]
    if session.sizes.tenfold_memory:
        names += [quiet.APPROVED, DRAIN_TENFOLD, importing.TENFOLD]
    for name in names:
        peaks = session.samples.peaks[name]
        most = max(peaks)
        goal = f"<= {LIMIT}"
        session.comparisons.append(
            Comparison("P11", name, "", "MiB", most, None, None, goal, {"ours": peaks})
        )


def drain_tenfold(session: Session) -> None:
    """A drain of ten times as many deliveries, from the large register."""
    if not session.sizes.tenfold_memory:
        return
    register, due = quiet.told_tenfold(session), 10 * session.sizes.due
    extra = register.count(LOG) - due
    register.connection.execute(
        f"delete from {DELIVERIES} where ctid = any (array(select ctid from {DELIVERIES} limit %s))",
        [extra],
    )
    register.prepare(DELIVERIES, ATTEMPTS)
    with StandIn() as service:
        session.certvakt(DRAIN_TENFOLD, register, delivering.drain_command(service))
        delivering.taken(service, due)
    expect("deliveries delivered", register.count(DELIVERIES, "state = 'delivered'"), due)
    session.server.connect().execute("drop database tenfold with (force)")
