-- $1 distinct mail addresses
insert into certvakt.mail_queue (kind, person_id, contact_point_id, valid_for)
select 'link', p.person_id, p.contact_point_id, interval '15 minutes'
from unnest($1::text[]) as asked (address)
cross join lateral (
  select found.person_id, found.contact_point_id
  from certvakt.people_of_address(asked.address) found
  where 3 > (
    select count(*) from certvakt.mail_queue l
    where l.person_id = found.person_id and l.kind = 'link' and l.used_at is null
      and l.requested_at > now() - interval '15 minutes')
  order by found.person_id
  limit 10
) p
