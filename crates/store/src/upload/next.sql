-- Among the uploads with the fewest attempts, takes one of the organisation that has waited longest since its previous
-- upload was taken, so that no organisation waits for all uploads of another.
with next as (
  select u.id from certvakt.uploads u
  cross join lateral (
    select max(o.taken_up_at) as last_at from certvakt.uploads o where o.organisation_id = u.organisation_id
  ) organisation
  where u.state in ('checking', 'received')
  order by u.attempt, organisation.last_at nulls first, u.created_at
  limit 1 for update of u skip locked
)
update certvakt.uploads u set attempt = u.attempt + 1, taken_up_at = clock_timestamp()
from next, certvakt.organisations o
where u.id = next.id and o.id = u.organisation_id
returning u.id, u.person_id, o.slug as organisation,
  (select h.slug from certvakt.chapters h where h.id = u.chapter_id) as chapter, u.limited_to,
  u.limited_to is null or u.limited_to <@ certvakt.chapters_managed_by(u.person_id) as "is_entitled!",
  u.options, u.content as "content!", u.attempt, u.state = 'checking' as "is_check!", u.proposal is not null as "is_on_page!"
