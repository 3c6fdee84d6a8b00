insert into certvakt.letters (kind, person_id, contact_point_id, good_for)
select 'link', p.person_id, p.contact_point_id, interval '15 minutes'
from certvakt.people_of_address($1) p
where 3 > (
  select count(*) from certvakt.letters l
  where l.person_id = p.person_id and l.kind = 'link' and l.used_at is null
    and l.requested_at > now() - interval '15 minutes')
order by p.person_id
limit 10
