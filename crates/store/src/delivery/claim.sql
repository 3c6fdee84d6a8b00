-- Claims a batch, and returns all data for sending it in the same round trip: one row per contact point, or one row
-- without a contact point.
--
-- $1 organisations within their delivery hours   $2 maximum number   $3 lease token   $4 its duration in seconds
-- $5 and $6 available_at and id of the delivery that was claimed last: the scan starts after it. Dead index entries of
-- earlier claims remain until vacuum removes them, which any long transaction delays; a scan from the start would
-- therefore become slower with each claim.
with claimable as (
  select d.id from certvakt.deliveries d
  where d.finished_at is null and d.state = 'pending' and d.available_at <= now() and d.organisation_id = any ($1)
    and (d.available_at, d.id) > ($5, $6)
  order by d.available_at, d.id
  limit $2
  for update skip locked
),
claimed as (
  update certvakt.deliveries d
  set state = 'claimed', attempt = d.attempt + 1, lease_token = $3, lease_until = now() + make_interval(secs => $4),
      reason = null
  from claimable
  where d.id = claimable.id
  returning d.id, d.attempt, d.organisation_id, d.stage, d.due_date, d.available_at, d.refused
)
select d.id, d.attempt, d.organisation_id, l.certification_id, l.recipient_id, d.stage, d.due_date, d.available_at as "available_at!",
  l.idempotency_key, c.expires_at, c.status = 'suspended' as "suspended!", t.code as type_code, t.name as certification,
  h.name as chapter,
  coalesce(n.name, p.name) as recipient_name, coalesce(p.locale, n.locale) as recipient_locale,
  k.id as "contact_id?", k.kind as "contact_kind?", k.address as "contact_address?"
from claimed d
-- Each row is looked up by its key, regardless of the statistics, which may be older than the queue: a single scan of a
-- large table would take longer than the batch. OFFSET 0 fixes the order of the joins.
cross join lateral (
  select l.certification_id, l.recipient_id, l.idempotency_key
  from public.cert_notification_log l where l.id = d.id offset 0
) l
cross join lateral (
  select c.expires_at, c.status, c.organisation_id, c.certification_type, c.chapter_id
  from public.peer_mentor_certifications c where c.id = l.certification_id offset 0
) c
cross join lateral (
  select h.name from certvakt.chapters h where h.id = c.chapter_id offset 0
) h
cross join lateral (
  select p.name, p.locale from certvakt.people p where p.id = l.recipient_id offset 0
) p
join certvakt.certification_types t on t.organisation_id = c.organisation_id and t.code = c.certification_type
left join certvakt.person_names n on n.person_id = l.recipient_id and n.organisation_id = d.organisation_id
left join certvakt.contact_points k
  on k.person_id = l.recipient_id and k.kind in ('push', 'email') and k.id <> all (d.refused)
  and (k.organisation_id is null or k.organisation_id = d.organisation_id and not exists (
    -- A person's own contact points precede those of the same kind from a register.
    select from certvakt.contact_points own
    where own.person_id = k.person_id and own.kind = k.kind and own.organisation_id is null and own.id <> all (d.refused)))
  and not exists (select from certvakt.channel_opt_outs o where o.person_id = k.person_id and o.kind = k.kind)
order by d.available_at, d.id, k.created_at, k.id
