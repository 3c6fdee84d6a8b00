-- Adds an upload for the chapter $1, or for the organisation $2. A coordinator's is limited to the chapters that they manage there.
insert into certvakt.uploads (organisation_id, chapter_id, limited_to, options, content, proposal, state)
select o.id, $1, case when not r.administers then r.chapters end, $3, $4, $5,
  case when $4::bytea is null then 'waiting' else 'draft' end
from (
  select coalesce((select h.organisation_id from certvakt.chapters h where h.id = $1), $2::uuid) as id
) o
cross join lateral (
  select exists (
      select from certvakt.visible_memberships m where m.person_id = (select certvakt.current_person())
        and m.organisation_id = o.id and m.role = 'org_admin') as administers,
    array(
      select h.id from certvakt.chapters h
      where h.organisation_id = o.id and h.id = any ((select certvakt.visible_chapters())::uuid[])
      order by h.id) as chapters
) r
where (r.administers or r.chapters <> '{}') and ($1::uuid is null or $1 = any (r.chapters))
returning id, organisation_id, chapter_id, state, result, created_at, finished_at
