select l.notification_type as stage, l.sent_at as recorded_at, l.idempotency_key, d.due_date as "due_date?",
  d.state as "delivery?: DeliveryState", d.reason, d.available_at as "available_at?", d.id as "delivery_id?",
  d.cancelled_in is not null as "cancelled_by_worker!",
  -- A claim checks its notice, so a delivered notice that is untrue became untrue after that check.
  case when d.state = 'delivered' and (
      last.kind = 'suspended'
      or (last.expires_after at time zone o.time_zone)::date is distinct from (d.expires_at at time zone o.time_zone)::date)
    then last.changed_at end as "crossed_at?"
from public.cert_notification_log l
left join certvakt.deliveries d on d.id = l.id
left join certvakt.organisations o on o.id = d.organisation_id
left join lateral (
  select k.kind, k.expires_after, k.changed_at
  from certvakt.certification_changes k
  where k.organisation_id = d.organisation_id and k.certification_id = l.certification_id
    and k.changed_at <= d.finished_at
  order by k.id desc limit 1
) last on true
where l.certification_id = $1 and (l.sent_at >= $2 or d.finished_at >= $2)
order by l.sent_at, d.due_date
