-- Looks at the next $4 mentors of partner $2 anew, whatever changed. How many were not as they were to be.
select l.last, certvakt.look_at_listings(l.people, 'nightly') as "changed!"
from (
  select max(b.partner_key) as last, array_agg(b.person_id) as people
  from (
    select partner_key, person_id from certvakt.listings
    where organisation_id = $1 and partner = $2 and partner_key > $3
    order by partner_key limit $4) b) l
