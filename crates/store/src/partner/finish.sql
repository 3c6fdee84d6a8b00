-- Records the outcomes of requests to partner $2 if the lease $3 is still valid. If a mentor has changed in the
-- meantime, the new state is sent as soon as it is due, unless the result of the last request is unknown.
update certvakt.listings l
set accepted_number = case when x.is_accepted then greatest(l.accepted_number, x.number) else l.accepted_number end,
  accepted_listed = case when x.is_accepted then x.is_listed else l.accepted_listed end,
  accepted_at = case when x.is_accepted then now() else l.accepted_at end,
  is_in_doubt = x.is_in_doubt,
  requested_at = case when x.was_sent then now() else l.requested_at end,
  requested_number = case when x.was_sent then x.number else l.requested_number end,
  attempts = case when x.is_accepted or l.number > x.number then 0 else l.attempts end,
  -- A claimed mentor was due. A later time belongs to a change in the meantime.
  available_at = greatest(l.available_at,
    now() + make_interval(secs => case when l.number > x.number and not x.is_in_doubt then 0 else x.wait_seconds end)),
  last_error = x.last_error,
  lease_token = null,
  lease_until = null
from jsonb_to_recordset($4) as x (
  partner_key text, number bigint, is_listed boolean, is_accepted boolean, is_in_doubt boolean, wait_seconds float8, last_error text,
  was_sent boolean)
-- The lease is compared after the join: from the lease, the planner would expect a single listing, and compare each listing
-- with each outcome.
where l.organisation_id = $1 and l.partner = $2 and l.partner_key = x.partner_key
  and (l.lease_token = $3 and x.partner_key is not null) is true
