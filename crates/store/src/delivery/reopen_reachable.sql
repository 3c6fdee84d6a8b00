-- Reopens unreachable deliveries if the mentor now has a contact point that has not refused the notice.
update certvakt.deliveries d
set state = 'pending', opened_at = now(), available_at = now(), reason = null
from public.cert_notification_log l
where l.id = d.id and d.finished_at is null and d.available_at is null and d.organisation_id = any ($1)
  and ($2::text[] is null or exists (
    select from certvakt.contact_points p
    where p.person_id = l.recipient_id and p.kind = any ($2) and (p.organisation_id is null or p.organisation_id = d.organisation_id) and p.id <> all (d.refused)
      and not exists (select from certvakt.channel_opt_outs o where o.person_id = p.person_id and o.kind = p.kind)))
