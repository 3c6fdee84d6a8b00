-- Inserts a notice for each test certification. $1 certifications
with notice as (
  insert into public.cert_notification_log (certification_id, notification_type, recipient_id, idempotency_key)
  select c.id, 'expiry_warning_7d', c.peer_mentor_id, certvakt.notice_key(c.id, 'expiry_warning_7d', current_date)
  from public.peer_mentor_certifications c where c.id = any ($1)
  returning id, certification_id
)
insert into certvakt.deliveries (id, organisation_id, stage, due_date, expires_at, state, available_at, reason)
select n.id, c.organisation_id, 'expiry_warning_7d', current_date, c.expires_at, 'unreachable', null, 'canary-' || c.id
from notice n join public.peer_mentor_certifications c on c.id = n.certification_id
