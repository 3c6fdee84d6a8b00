-- The people of organisation $1 whose name contains the text $2, by name, at most $3.
select p.id as "person_id!", coalesce(p.name, '–') as "name!",
  array(
    select h.name from certvakt.chapters h
    where h.id in (select m.chapter_id from certvakt.visible_memberships m where m.person_id = p.id and m.organisation_id = $1)
    order by certvakt.alphabetical(h.name)) as "chapters!"
from certvakt.search_people(certvakt.folded($2), null, null, null, null) with ordinality p
where exists (select from certvakt.visible_memberships m where m.person_id = p.id and m.organisation_id = $1)
order by p.ordinality
limit $3
