-- Counts the unapproved removals that are waiting to be sent to partner $2, up to $3 + 1.
select count(*) as "removals!"
from (
  select from certvakt.listings l
  where l.organisation_id = $1 and l.partner = $2 and l.accepted_number < l.number and not l.is_listed
    and l.approved_number < l.number and l.accepted_listed is distinct from false
  limit $3::bigint + 1) waiting
