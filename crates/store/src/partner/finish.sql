-- Records the outcomes of requests to partner $2 if the lease $3 is still valid. If a mentor has changed in the
-- meantime, the new state is sent immediately, unless the result of the last request is unknown.
update certvakt.listings l
set told_number = case when x.is_taken then greatest(l.told_number, x.number) else l.told_number end,
  told_listed = case when x.is_taken then x.is_listed else l.told_listed end,
  told_at = case when x.is_taken then now() else l.told_at end,
  is_unsure = x.is_unsure,
  asked_at = case when x.was_sent then now() else l.asked_at end,
  asked_number = case when x.was_sent then x.number else l.asked_number end,
  attempts = case when x.is_taken or l.number > x.number then 0 else l.attempts end,
  available_at = now() + make_interval(secs => case when l.number > x.number and not x.is_unsure then 0 else x.wait_seconds end),
  trouble = x.trouble,
  lease_token = null,
  lease_until = null
from jsonb_to_recordset($4) as x (
  partner_key text, number bigint, is_listed boolean, is_taken boolean, is_unsure boolean, wait_seconds float8, trouble text,
  was_sent boolean)
-- The lease is compared after the join: from the lease, the planner would expect a single listing, and compare each listing
-- with each outcome.
where l.organisation_id = $1 and l.partner = $2 and l.partner_key = x.partner_key
  and (l.lease_token = $3 and x.partner_key is not null) is true
