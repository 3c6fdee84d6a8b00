-- Removals that wait to be sent to partner $2 and happened after $3, up to which they were approved; counted no further
-- than one more than $4.
select count(*) as "removals!"
from (
  select from certvakt.listings l
  where l.organisation_id = $1 and l.partner = $2 and l.told_number < l.number and not l.is_listed
    and l.told_listed is distinct from false and l.turned_at > coalesce($3::timestamptz, '-infinity')
  limit $4::bigint + 1) waiting
