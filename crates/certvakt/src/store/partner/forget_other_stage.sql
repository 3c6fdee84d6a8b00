-- Whatever partner $2 was told at another stage than $3 counts no more. What its live listing has shown does, and whom
-- somebody removed there.
update certvakt.listings l
set told_number = 0, told_listed = null, told_at = null, available_at = now(), attempts = 0, is_unsure = false, trouble = null,
  replays = 0, seen_listed = null, lease_token = null, lease_until = null
from certvakt.partners p
where p.organisation_id = $1 and p.code = $2 and p.told_stage is distinct from $3
  and l.organisation_id = p.organisation_id and l.partner = p.code
