-- Discards the states sent to partner $2 at another environment than $3, and the approvals of removals there. The state of
-- the live listing remains, with the mentors who were removed there manually: if the listing showed the correct state,
-- it is not sent again, because that would list mentors again who have been removed manually since.
update certvakt.listings l
set accepted_number = case when $3 = 'live' and l.confirmed_number = l.number then l.number else 0 end,
  accepted_listed = case when $3 = 'live' and l.confirmed_number = l.number and l.number > 0 then l.is_listed end,
  accepted_at = null, available_at = now(), attempts = 0, is_in_doubt = false, last_error = null,
  replays = 0, approved_number = 0, seen_listed = null, lease_token = null, lease_until = null
from certvakt.partners p
where p.organisation_id = $1 and p.code = $2 and p.accepted_environment is distinct from $3
  and l.organisation_id = p.organisation_id and l.partner = p.code
