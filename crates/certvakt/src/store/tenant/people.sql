-- A page of people by name. They are looked for through their memberships: of all people few are visible.
--
-- $1 how many   $2 the last one seen   $3 chapter   $4 what a name contains
select p.id, p.name, p.locale, p.erased_at
from certvakt.people p
where p.id in (select m.person_id from certvakt.visible_memberships m where $3::uuid is null or m.chapter_id = $3)
  and ($4::text is null or certvakt.folded(p.name) like $4)
  and ($2::uuid is null
    or (coalesce(p.name, ''), p.id) > (select coalesce(seen.name, ''), seen.id from certvakt.people seen where seen.id = $2))
order by coalesce(p.name, ''), p.id
limit $1
