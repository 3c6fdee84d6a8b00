-- The ids in the register of certifications that the import $1 changed or added, and whose mentors have had notices since.
select coalesce(c.external_id, c.id::text)
from public.peer_mentor_certifications c
where c.id in (
    select a.id from undo_added a where a.is_noticed and not a.is_changed
    union
    select j.certification_id from certvakt.import_changes j
    where j.import_id = $1 and j.before ?| array['expires_at', 'status'])
  and exists (
    select from public.cert_notification_log l where l.certification_id = c.id and l.sent_at >= $2)
order by 1
