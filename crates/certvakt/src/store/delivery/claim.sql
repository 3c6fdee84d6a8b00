-- Claims a batch and reads, in the same round trip, all that its sending needs.
--
-- $1 organisations whose hours are open   $2 how many   $3 lease token   $4 seconds of the lease
with claimable as (
  select d.id from certvakt.deliveries d
  where d.state = 'pending' and d.available_at <= now() and d.organisation_id = any ($1)
  order by d.available_at
  limit $2
  for update skip locked
),
claimed as (
  update certvakt.deliveries d
  set state = 'claimed', attempt = d.attempt + 1, lease_token = $3, lease_until = now() + make_interval(secs => $4),
      reason = null
  from claimable
  where d.id = claimable.id
  returning d.id, d.attempt, d.organisation_id, d.notice_id, d.certification_id, d.recipient_id, d.stage, d.due_date,
    d.refused
)
select d.id, d.attempt, d.organisation_id, d.certification_id, d.recipient_id, d.stage, d.due_date,
  l.idempotency_key, c.expires_at, c.status = 'suspended' as "suspended!", t.name as certification,
  p.name as recipient_name, p.locale as recipient_locale,
  coalesce(reach.ids, '{}') as "contact_ids!", coalesce(reach.kinds, '{}') as "contact_kinds!",
  coalesce(reach.addresses, '{}') as "contact_addresses!"
from claimed d
join public.cert_notification_log l on l.id = d.notice_id
join public.peer_mentor_certifications c on c.id = d.certification_id
join certvakt.certification_types t on t.organisation_id = c.organisation_id and t.code = c.certification_type
join certvakt.people p on p.id = d.recipient_id
left join lateral (
  select array_agg(k.id order by k.created_at, k.id) as ids,
    array_agg(k.kind order by k.created_at, k.id) as kinds,
    array_agg(k.address order by k.created_at, k.id) as addresses
  from certvakt.contact_points k
  where k.person_id = d.recipient_id and k.id <> all (d.refused)
    and not exists (select from certvakt.channel_opt_outs o where o.person_id = k.person_id and o.kind = k.kind)
) reach on true
