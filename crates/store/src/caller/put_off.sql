-- The latest contacts with a later date for the next one, about certifications that the caller manages, the earliest date
-- first. Reads the first rows of each chapter in index order; each LIMIT below keeps PostgreSQL from reading the whole
-- table instead. A contact does not count after a later one, after its certification got another date, or after it was
-- withdrawn.
--
-- $1 and $2 organisations and their present days   $3 maximum number   $4 the only chapter, if not all
with managed as materialized (
  select h.id, o.today
  from unnest(certvakt.visible_chapters()) as v (id)
  join certvakt.chapters h on h.id = v.id
  join unnest($1::uuid[], $2::date[]) as o (id, today) on o.id = h.organisation_id
  where $4::uuid is null or h.id = $4
)
select k.id as "id!", k.certification_id as "certification_id!", k.expires_at, k.outcome as "outcome!: ContactOutcome",
  k.next_on, k.note, k.made_at as "made_at!", k.made_by, false as "may_undo!"
from managed h
cross join lateral (
  select k.id, k.certification_id, k.expires_at, k.outcome, k.next_on, k.note, k.made_at, k.made_by
  from certvakt.contacts k
  cross join lateral (
    select c.expires_at, c.peer_mentor_id,
      case when c.is_suspended then certvakt.is_withdrawn(c.status, c.renewal_history) else false end as is_withdrawn
    from public.peer_mentor_certifications c where c.id = k.certification_id limit 1
  ) c
  cross join lateral (
    select l.id from certvakt.contacts l where l.certification_id = k.certification_id
    order by l.made_at desc, l.id desc limit 1
  ) latest
  -- As a CASE, because PostgreSQL would expect the conditions to leave few rows, and sort all of them first.
  where k.chapter_id = h.id and k.next_on > h.today
    and case when latest.id = k.id and c.expires_at is not distinct from k.expires_at
      and c.peer_mentor_id <> (select certvakt.current_person()) then not c.is_withdrawn else false end
  order by k.next_on, k.id
  limit $3::bigint
) k
order by k.next_on, k.id
limit $3::bigint
