-- Claims up to $3 mentors of partner $2 for $5 seconds, one request per mentor. After an expired lease, the result of
-- the request is unknown; if certvakt cannot read the state of a mentor at the portal ($8 is false), the listing will
-- show it. While removals are held ($6), only approved removals are claimed. Claims nobody unless the partner's environment
-- is $7 and its contract is $9.
with due as (
  select l.partner_key, l.lease_token is not null or l.is_in_doubt as is_in_doubt
  from certvakt.partners p
  join certvakt.listings l on l.organisation_id = p.organisation_id and l.partner = p.code
  where p.environment = $7 and p.contract = $9 and l.organisation_id = $1 and l.partner = $2 and l.accepted_number < l.number and l.available_at <= now()
    and (l.lease_until is null or l.lease_until <= now())
    and ($8 or l.lease_token is null and not l.is_in_doubt)
    -- Only a person can list a mentor again who was removed manually.
    and (l.removed_by_hand_since is null or not l.is_listed)
    and (not $6 or l.is_listed or l.accepted_listed is not distinct from false or l.approved_number = l.number)
  order by l.available_at, l.partner_key
  limit $3
  for update of l skip locked
),
claimed as (
  update certvakt.listings l
  set lease_token = $4, lease_until = now() + make_interval(secs => $5), attempts = l.attempts + 1, is_in_doubt = due.is_in_doubt,
    requested_at = case when due.is_in_doubt then l.requested_at else now() end,
    requested_number = case when due.is_in_doubt then l.requested_number else l.number end
  from due
  where l.organisation_id = $1 and l.partner = $2 and l.partner_key = due.partner_key
  returning l.partner_key, l.number, l.is_listed, l.replays, l.attempts, l.is_in_doubt, l.requested_number
)
select c.partner_key, c.number, e.id as event_id, e.at, c.is_listed, c.replays, c.attempts as attempt, c.is_in_doubt,
  c.requested_number = c.number as "was_requested!"
from claimed c
join certvakt.partner_events e on e.organisation_id = $1 and e.partner = $2 and e.partner_key = c.partner_key and e.number = c.number
order by c.partner_key
