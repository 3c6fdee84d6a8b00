-- The latest contacts with a later date for the next one, about certifications that the caller manages, the earliest date
-- first. Reads the first rows of each chapter in index order. A contact does not count after a later one, after its
-- certification got another date, or after it was withdrawn.
--
-- $1 and $2 organisations and their present days   $3 maximum number
select k.id as "id!", k.certification_id as "certification_id!", k.expires_at, k.outcome as "outcome!: ContactOutcome",
  k.next_on, k.note, k.made_at as "made_at!", k.made_by, false as "may_undo!"
from unnest($1::uuid[], $2::date[]) as o (id, today)
join certvakt.chapters h on h.organisation_id = o.id and h.id = any ((select certvakt.visible_chapters())::uuid[])
cross join lateral (
  select k.id, k.certification_id, k.expires_at, k.outcome, k.next_on, k.note, k.made_at, k.made_by
  from certvakt.contacts k
  join public.peer_mentor_certifications c on c.id = k.certification_id
  where k.chapter_id = h.id and k.next_on > o.today
    and c.expires_at is not distinct from k.expires_at
    and c.peer_mentor_id <> (select certvakt.current_person())
    and case when c.is_suspended then not certvakt.is_withdrawn(c.status, c.renewal_history) else true end
    and not exists (
      select from certvakt.contacts l where l.certification_id = k.certification_id and (l.made_at, l.id) > (k.made_at, k.id))
  order by k.next_on, k.id
  limit $3::bigint
) k
order by k.next_on, k.id
limit $3::bigint
