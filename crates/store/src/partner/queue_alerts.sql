-- Queues an e-mail to each administrator when a partner gets problems that need a person: one for each partner and time, about
-- the most severe of its new problems. A problem that can end by itself is mailed after an hour.
with problems as materialized (
  select p.organisation_id, p.code as partner, x.kind, x.since, x.severity,
    case x.kind when 'stopped' then s.to_list + s.to_delist else greatest(coalesce(x.number, 0), 0) end as number,
    coalesce(x.since, a.noticed_at, now()) <= now() - case
      when x.kind in ('still-listed', 'listing-unread', 'missing', 'unknown', 'reports-unread')
        or x.kind = 'stopped' and p.stopped_by = 'outage' then interval '1 hour'
      else interval '0' end as is_due
  from certvakt.partners p
  join certvakt.partner_states s on s.organisation_id = p.organisation_id and s.partner = p.code
  cross join lateral certvakt.partner_problems(p, s) with ordinality as x (kind, number, since, severity)
  left join certvakt.partner_alerts a on a.organisation_id = p.organisation_id and a.partner = p.code and a.kind = x.kind
  where p.organisation_id in (select a.organisation_id from certvakt.administrators a)
),
ended as (
  delete from certvakt.partner_alerts a
  where not exists (
    select from problems x where x.organisation_id = a.organisation_id and x.partner = a.partner and x.kind = a.kind)
),
mailed as (
  insert into certvakt.partner_alerts as a (organisation_id, partner, kind, since, mailed_at)
  select x.organisation_id, x.partner, x.kind, x.since, case when x.is_due then now() end from problems x
  on conflict (organisation_id, partner, kind) do update set
    -- The same kind with another beginning is a new problem.
    noticed_at = case when a.since is distinct from excluded.since then excluded.noticed_at else a.noticed_at end,
    since = excluded.since,
    mailed_at = excluded.mailed_at
  where a.since is distinct from excluded.since or a.mailed_at is null and excluded.mailed_at is not null
  returning a.organisation_id, a.partner, a.kind, a.mailed_at
),
news as (
  select distinct on (x.organisation_id, x.partner) x.organisation_id, x.kind, x.number
  from mailed m
  join problems x on x.organisation_id = m.organisation_id and x.partner = m.partner and x.kind = m.kind
  where m.mailed_at is not null
  order by x.organisation_id, x.partner, x.severity
)
insert into certvakt.mail_queue (kind, person_id, contact_point_id, valid_for, alert, organisation_id, number)
select 'alert', a.person_id, a.contact_point_id, interval '14 days', n.kind, n.organisation_id, n.number
from news n join certvakt.administrators a on a.organisation_id = n.organisation_id
