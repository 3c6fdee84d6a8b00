-- A page of certifications, the next to expire first and those that never do last. Of each visible chapter
-- the first few in the order of its index; of them the first few. Few are seen for another reason.
--
-- $1 how many   $2 and $3 expiry and id of the last one seen   $4 chapter   $5 type
-- $6 what a name or a register's id contains   $7, $8 and $9 of each organisation, from when and until when
-- an expiry is in the stage asked for
with asking as materialized (
  select certvakt.visible_chapters() as chapters,
    certvakt.visible_elsewhere() || array(
      select c.id from public.peer_mentor_certifications c where c.peer_mentor_id = (select certvakt.current_person())
    ) as others
),
page as (
  select of_chapter.id, of_chapter.expiry
  from asking, unnest(asking.chapters) as v (chapter_id)
  cross join lateral (
    select c.id, coalesce(c.expires_at, 'infinity') as expiry
    from public.peer_mentor_certifications c
    where c.chapter_id = v.chapter_id and (coalesce(c.expires_at, 'infinity'), c.id) > ($2::text::timestamptz, $3)
      and ($5::text is null or c.certification_type = $5)
      and ($6::text is null or certvakt.folded(c.external_id) like $6
        or exists (select from certvakt.people p where p.id = c.peer_mentor_id and certvakt.folded(p.name) like $6))
      and ($7::uuid[] is null or c.status <> 'suspended' and exists (
        select from unnest($7::uuid[], $8::timestamptz[], $9::timestamptz[]) as s (organisation_id, since, before)
        where s.organisation_id = c.organisation_id and c.expires_at >= s.since and c.expires_at < s.before))
    order by coalesce(c.expires_at, 'infinity'), c.id
    limit $1
  ) of_chapter
  where $4::uuid is null or v.chapter_id = $4
  union
  select c.id, coalesce(c.expires_at, 'infinity') as expiry
  from asking
  join public.peer_mentor_certifications c on c.id = any (asking.others)
  where (coalesce(c.expires_at, 'infinity'), c.id) > ($2::text::timestamptz, $3)
    and ($4::uuid is null or c.chapter_id = $4)
    and ($5::text is null or c.certification_type = $5)
    and ($6::text is null or certvakt.folded(c.external_id) like $6
      or exists (select from certvakt.people p where p.id = c.peer_mentor_id and certvakt.folded(p.name) like $6))
    and ($7::uuid[] is null or c.status <> 'suspended' and exists (
      select from unnest($7::uuid[], $8::timestamptz[], $9::timestamptz[]) as s (organisation_id, since, before)
      where s.organisation_id = c.organisation_id and c.expires_at >= s.since and c.expires_at < s.before))
  order by expiry, id
  limit $1
)
select c.id as "id!", c.organisation_id as "organisation_id!", c.chapter_id as "chapter_id!",
  (select h.name from certvakt.chapters h where h.id = c.chapter_id) as chapter,
  c.peer_mentor_id as "mentor_id!", (select p.name from certvakt.people p where p.id = c.peer_mentor_id) as mentor,
  c.certification_type as "type_code!",
  (select t.name from certvakt.certification_types t where t.organisation_id = c.organisation_id and t.code = c.certification_type) as type_name,
  c.external_id, c.issued_at, c.expires_at, c.status as "status!", c.updated_at as "updated_at!",
  o.time_zone as "time_zone!", o.expired_grace_days as "expired_grace_days!"
from page
join public.peer_mentor_certifications c on c.id = page.id
join certvakt.organisations o on o.id = c.organisation_id
order by page.expiry, page.id
