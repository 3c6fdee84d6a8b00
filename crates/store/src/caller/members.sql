-- The people of organisation $1 whose name contains the text $2, by name, at most $3.
select p.id as "person_id!", coalesce(p.name, '–') as "name!",
  array(
    select distinct h.name from certvakt.visible_memberships m join certvakt.chapters h on h.id = m.chapter_id
    where m.person_id = p.id and m.organisation_id = $1 order by 1) as "chapters!"
from certvakt.search_people(certvakt.folded($2), null, null, null, null) p
where exists (select from certvakt.visible_memberships m where m.person_id = p.id and m.organisation_id = $1)
order by 2, 1
limit $3
