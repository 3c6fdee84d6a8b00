select i.id, i.organisation_id, o.slug as organisation, o.time_zone as "zone: Zone", i.transaction::text as "transaction!",
  i.started_at, i.finished_at, i.undone_at, i.new_chapter_ids,
  i.finished_at < now() - interval '30 days' as "is_too_old!"
from certvakt.imports i join certvakt.organisations o on o.id = i.organisation_id
where i.id = $1
for no key update of i
