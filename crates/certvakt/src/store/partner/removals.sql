-- Removals that wait to be sent to partner $2 and happened after $3, up to which they were approved.
select count(*) as "removals!"
from certvakt.listings l
join certvakt.partner_events e on e.organisation_id = l.organisation_id and e.partner = l.partner
  and e.partner_key = l.partner_key and e.number = l.number
where l.organisation_id = $1 and l.partner = $2 and l.told_number < l.number and not l.is_listed
  and l.told_listed is distinct from false and ($3::timestamptz is null or e.at > $3)
