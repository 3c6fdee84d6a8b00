-- Whatever partner $2 was told at another stage than $3 counts no more, and nobody has approved of its removals here.
-- What its live listing has shown does count, and whom somebody removed there: where it has shown what is so, nothing
-- is told anew, or whoever was removed by hand meanwhile would be put back.
update certvakt.listings l
set told_number = case when $3 = 'live' and l.confirmed_number = l.number then l.number else 0 end,
  told_listed = case when $3 = 'live' and l.confirmed_number = l.number and l.number > 0 then l.is_listed end,
  told_at = null, available_at = now(), attempts = 0, is_unsure = false, trouble = null,
  replays = 0, approved_number = 0, seen_listed = null, lease_token = null, lease_until = null
from certvakt.partners p
where p.organisation_id = $1 and p.code = $2 and p.told_stage is distinct from $3
  and l.organisation_id = p.organisation_id and l.partner = p.code
