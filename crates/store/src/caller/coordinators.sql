-- The coordinators of chapter $1, by name.
select m.person_id, coalesce(n.name, p.name, '–') as "name!", array[]::text[] as "chapters!"
from certvakt.memberships m
join certvakt.people p on p.id = m.person_id
left join certvakt.person_names n on n.person_id = m.person_id and n.organisation_id = m.organisation_id
where m.chapter_id = $1 and m.role = 'coordinator'
order by coalesce(certvakt.alphabetical(n.name, n.family_name), certvakt.alphabetical(coalesce(p.name, '–'), p.family_name)),
  m.person_id
