with next as (
  select id from certvakt.uploads where state = 'received' order by attempt, created_at limit 1 for update skip locked
)
update certvakt.uploads u set attempt = u.attempt + 1
from next, certvakt.organisations o, certvakt.chapters h
where u.id = next.id and o.id = u.organisation_id and h.id = u.chapter_id
returning u.id, u.person_id, o.slug as organisation, h.slug as chapter, u.options, u.content as "content!", u.attempt
