-- Queues a letter to each administrator of an organisation if sending to a partner has stopped, if removals are held,
-- or if the partner's secret expires within 30 days; one letter per occurrence. An outage is reported after an hour,
-- because most end earlier.
with stopped as (
  update certvakt.partners p set alerted_at = now()
  where p.stopped_at is not null and (p.alerted_at is null or p.alerted_at < p.stopped_at)
    and (p.stopped_by <> 'outage' or p.stopped_at < now() - interval '1 hour')
    and p.organisation_id in (select a.organisation_id from certvakt.administrators a)
  returning p.organisation_id, p.code
),
held as (
  update certvakt.partners p set held_alerted_at = now()
  where p.held_at is not null and (p.held_alerted_at is null or p.held_alerted_at < p.held_at)
    -- A statement can update a row only once, so the other letter follows with the next check.
    and not exists (select from stopped s where s.organisation_id = p.organisation_id and s.code = p.code)
    and p.organisation_id in (select a.organisation_id from certvakt.administrators a)
  returning p.organisation_id, p.code
),
ending as (
  update certvakt.partners p set secret_alerted_for = p.secret_ends_on
  where p.environment is not null and p.secret_ends_on < (now() at time zone 'UTC')::date + 30
    and p.secret_alerted_for is distinct from p.secret_ends_on
    and not exists (select from stopped s where s.organisation_id = p.organisation_id and s.code = p.code)
    and not exists (select from held h where h.organisation_id = p.organisation_id and h.code = p.code)
    and p.organisation_id in (select a.organisation_id from certvakt.administrators a)
  returning p.organisation_id, p.code, greatest(p.secret_ends_on - (now() at time zone 'UTC')::date, 0) as days
),
news as (
  select s.organisation_id, s.code, 'partner-stopped' as alert, null::bigint as days from stopped s
  union all
  select h.organisation_id, h.code, 'removals-held', null from held h
  union all
  select e.organisation_id, e.code, 'secret-ends', e.days from ending e
)
insert into certvakt.letters (kind, person_id, contact_point_id, good_for, alert, organisation_id, number)
select 'alert', a.person_id, a.contact_point_id, interval '14 days', n.alert, n.organisation_id, coalesce(n.days, (
    select count(*) from certvakt.listings l
    where l.organisation_id = n.organisation_id and l.partner = n.code and l.told_number < l.number
      and (n.alert = 'partner-stopped' or not l.is_listed)))
from news n join certvakt.administrators a on a.organisation_id = n.organisation_id
