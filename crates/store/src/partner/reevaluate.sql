-- Evaluates the next $4 mentors of partner $2 again, regardless of changes, and returns the number of corrected rows.
-- Locked rows are skipped, because the transaction that locks them evaluates them itself.
with held as materialized (
  select partner_key, person_id from certvakt.listings
  where organisation_id = $1 and partner = $2 and partner_key > $3
  order by partner_key limit $4
  for no key update skip locked
)
select l.last, certvakt.update_listings(l.people, 'nightly') as "changed!"
from (select max(partner_key) as last, array_agg(person_id) as people from held) l
