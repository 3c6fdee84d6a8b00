-- Ends the suspensions of certifications that were replaced or missing in the import $1. Those that were on leave before are
-- suspended again afterwards (leaves.sql).
update public.peer_mentor_certifications c
set status = case j.before ->> 'status' when 'suspended' then 'active' else j.before ->> 'status' end, suspended_until = null
from certvakt.import_changes j
where j.import_id = $1 and j.is_suspension and c.id = j.certification_id and c.status = 'suspended'
  and not exists (
    select from undo_kept k where k.certification_id = c.id and k.field in ('status', 'suspended_until'))
  and not exists (select from undo_added a where a.id = c.id)
