insert into certvakt.letters (kind, person_id, contact_point_id, good_for)
select distinct on (p.person_id) 'link', p.person_id, p.id, interval '15 minutes'
from certvakt.contact_points p
where p.kind = 'email' and lower(p.address) = lower($1)
  and 3 > (
    select count(*) from certvakt.letters l
    where l.person_id = p.person_id and l.kind = 'link' and l.used_at is null
      and l.requested_at > now() - interval '15 minutes')
order by p.person_id, p.id
limit 10
