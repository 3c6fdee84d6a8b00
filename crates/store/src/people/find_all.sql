-- $1 names, $2 their normal forms as register ids, $3 those that are ids
select asked.position as "position!", found.id as "id!"
from unnest($1::text[], $2::text[], $3::uuid[]) with ordinality as asked (name, normal, id, position)
cross join lateral (
  select p.id from certvakt.people p where p.id = asked.id
  union
  select c.peer_mentor_id
  from certvakt.organisations o
  join public.peer_mentor_certifications c
    on c.organisation_id = o.id and c.external_id = any (array[asked.name, asked.normal])
  limit 2
) found
