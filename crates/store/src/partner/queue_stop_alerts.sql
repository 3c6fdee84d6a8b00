-- Queues an e-mail to each administrator, once each time, about a partner to which nothing is sent any more, whose removals
-- are held, or whose credential expires within 30 days; about an outage after an hour, because most end by themselves.
with problems as materialized (
  select p.organisation_id, p.code, x.kind, x.number
  from certvakt.partners p
  join certvakt.partner_states s on s.organisation_id = p.organisation_id and s.partner = p.code
  cross join lateral certvakt.partner_problems(p, s) x
  where p.organisation_id in (select a.organisation_id from certvakt.administrators a)
),
stopped as (
  update certvakt.partners p set alerted_at = now()
  from problems x
  where x.organisation_id = p.organisation_id and x.code = p.code and x.kind = 'stopped'
    and (p.alerted_at is null or p.alerted_at < p.stopped_at)
    and (p.stopped_by <> 'outage' or p.stopped_at < now() - interval '1 hour')
  returning p.organisation_id, p.code
),
held as (
  update certvakt.partners p set held_alerted_at = now()
  from problems x
  where x.organisation_id = p.organisation_id and x.code = p.code and x.kind = 'removals-held'
    and (p.held_alerted_at is null or p.held_alerted_at < p.held_at)
    -- A statement changes a row once: the other e-mail follows the next time.
    and not exists (select from stopped s where s.organisation_id = p.organisation_id and s.code = p.code)
  returning p.organisation_id, p.code, x.number
),
ending as (
  update certvakt.partners p set secret_alerted_for = p.secret_ends_on
  from problems x
  where x.organisation_id = p.organisation_id and x.code = p.code and x.kind = 'credential-expires'
    and p.secret_alerted_for is distinct from p.secret_ends_on
    and not exists (select from stopped s where s.organisation_id = p.organisation_id and s.code = p.code)
    and not exists (select from held h where h.organisation_id = p.organisation_id and h.code = p.code)
  returning p.organisation_id, p.code, greatest(x.number, 0) as days
),
news as (
  select s.organisation_id, 'partner-stopped' as alert, (
      select count(*) from certvakt.listings l
      where l.organisation_id = s.organisation_id and l.partner = s.code and l.accepted_number < l.number) as number
  from stopped s
  union all
  select h.organisation_id, 'removals-held', h.number from held h
  union all
  select e.organisation_id, 'secret-ends', e.days from ending e
)
insert into certvakt.mail_queue (kind, person_id, contact_point_id, valid_for, alert, organisation_id, number)
select 'alert', a.person_id, a.contact_point_id, interval '14 days', n.alert, n.organisation_id, n.number
from news n join certvakt.administrators a on a.organisation_id = n.organisation_id
