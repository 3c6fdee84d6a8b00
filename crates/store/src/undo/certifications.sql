-- Reverts the changed fields of certifications, except those that were changed since.
update public.peer_mentor_certifications c
set chapter_id = case when r.fields ? 'chapter_id' then (r.before ->> 'chapter_id')::uuid else c.chapter_id end,
  issued_at = case when r.fields ? 'issued_at' then (r.before ->> 'issued_at')::timestamp at time zone 'UTC' else c.issued_at end,
  expires_at = case when r.fields ? 'expires_at' then (r.before ->> 'expires_at')::timestamp at time zone 'UTC' else c.expires_at end,
  status = case
    when r.fields ? 'status' then r.before ->> 'status'
    -- With its old date, it may be valid again.
    when c.status = 'expired' and r.fields ? 'expires_at'
      and coalesce((r.before ->> 'expires_at')::timestamp at time zone 'UTC', 'infinity') > now() then 'active'
    else c.status end,
  suspended_until = case when r.fields ? 'suspended_until' then (r.before ->> 'suspended_until')::date else c.suspended_until end
from (
  select j.certification_id, j.before, j.before - coalesce(k.fields, '{}') as fields
  from certvakt.import_changes j
  left join (
    select certification_id, array_agg(field) as fields from undo_kept group by certification_id
  ) k on k.certification_id = j.certification_id
  where j.import_id = $1 and not j.is_suspension
) r
where c.id = r.certification_id
  and r.fields ?| array['chapter_id', 'issued_at', 'expires_at', 'status', 'suspended_until']
