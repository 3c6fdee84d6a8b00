-- Finds the certifications with some ids or register ids: at most three for each name, because two are already ambiguous.
-- $1 names, $2 their normal forms as register ids, $3 those that are ids
select asked.position as "position!", c.id as "id!", o.slug as "organisation!", t.name as "type_name!"
from unnest($1::text[], $2::text[], $3::uuid[]) with ordinality as asked (name, normal, id, position)
cross join lateral (
  select c.id, c.organisation_id, c.certification_type from public.peer_mentor_certifications c where c.id = asked.id
  union
  select c.id, c.organisation_id, c.certification_type
  from certvakt.organisations o
  join public.peer_mentor_certifications c
    on c.organisation_id = o.id and c.external_id = any (array[asked.name, asked.normal])
  limit 3
) c
join certvakt.organisations o on o.id = c.organisation_id
join certvakt.certification_types t on t.organisation_id = c.organisation_id and t.code = c.certification_type
order by asked.position, o.slug, t.name, c.id
