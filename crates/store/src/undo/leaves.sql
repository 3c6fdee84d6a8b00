-- Suspends those again that were on leave before they were replaced or missing in the import $1.
update public.peer_mentor_certifications c
set status = 'suspended', suspended_until = (j.before ->> 'suspended_until')::date
from certvakt.import_changes j
where j.import_id = $1 and j.is_suspension and c.id = j.certification_id and j.before ->> 'status' = 'suspended'
  and not exists (
    select from undo_kept k where k.certification_id = c.id and k.field in ('status', 'suspended_until'))
  and not exists (select from undo_added a where a.id = c.id)
