"""P17: changes sent to a partner's portal on Dataverse, many per request, against one per request."""

from bench.measure import expect, measure
from bench.session import Session
from lab.certvakt import Installation, binary
from lab.dataverse import VERSION, Dataverse

BATCHES = "changes by certvakt partner sync, 1,000 a request"
ONE = "changes by certvakt partner sync, one a request"
WHICH = ["portal", "--organisation", "org"]
# The same concurrency on both sides, without a rate limit, which is not measured here.
SAME = {"requests_a_minute = 1000": "requests_a_minute = 6000000"}
LISTINGS = "certvakt.listings"

MENTORS = """
begin;
create temporary table mentor on commit drop as
  select certvakt.uuid_v7() as id, n from generate_series(1, {number}) n;
insert into certvakt.people (id) select id from mentor;
insert into public.peer_mentor_certifications
  (organisation_id, chapter_id, peer_mentor_id, certification_type, expires_at)
  select h.organisation_id, h.id, m.id, 'type', now() + interval '1 year' from mentor m, certvakt.chapters h;
insert into certvakt.listings (organisation_id, partner, partner_key, person_id, listing_consent_at)
  select h.organisation_id, 'portal', 'M-' || n, m.id, now() from mentor m, certvakt.chapters h;
commit
"""
# Make all states due, as if none had been sent.
AGAIN = f"""
update {LISTINGS} set accepted_number = 0, accepted_listed = null, accepted_at = null,
  available_at = now(), attempts = 0, requested_at = null, requested_number = 0
"""

WAITING = f"select count(*) from {LISTINGS} where accepted_number < number"


def run_all(session: Session) -> None:
    told = session.sizes.told
    installation = Installation(session.server, "partners").create().with_organisation()
    installation.run(["partner", "add", *WHICH, "--requires", "type"])
    connection = session.server.connect(installation.database)
    connection.execute(MENTORS.format(number=told))
    for _ in session.each_round("telling a partner"):
        for name, batch in ((BATCHES, 1000), (ONE, 1)):
            with Dataverse(SAME | {"batch = 100": f"batch = {batch}"}) as portal:
                again(installation, connection, portal)
                environment = installation.environment() | portal.environment
                sync = [binary(), "partner", "sync", "--config", str(portal.config)]
                session.record(name, measure(sync, environment))
                counts = portal.measure()
            waiting = connection.execute(WAITING).fetchone()[0]
            expect("changes that wait", waiting, 0)
            expect("changes that the portal took", counts["operations"], told)
            requests = -(-told // batch)
            # Plus one request for the token.
            expect("requests", counts["requests"], requests + 1)
    session.rates("P17", BATCHES, (BATCHES, told), (ONE, told), ">= 5")
    connection.close()


def again(installation: Installation, connection, portal: Dataverse) -> None:
    """Makes all states due again, with this portal's contract."""
    enable = ["--environment", "live", "--contract", VERSION, "--config", str(portal.config)]
    installation.run(["partner", "enable", *WHICH, *enable])
    # The nightly check is already done.
    connection.execute("update certvakt.partners set evaluated_on = current_date + 1")
    connection.execute(AGAIN)
    connection.execute(f"vacuum (analyze) {LISTINGS}")
    connection.execute("checkpoint")
