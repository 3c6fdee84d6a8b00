-- What needs the caller besides certifications: the latest run of each of their organisations, except missed nights, if it
-- is held and nobody decided about it; the partners to which sending has stopped, and those with reports for the caller to
-- settle.
select r.organisation_id as "organisation_id!", r.run_date as "held_on?", null as organisation, null as partner,
  false as "is_administered!", false as "is_stopped!", 0::bigint as "reports_waiting!"
from unnest(certvakt.current_organisations()) as o (id)
cross join lateral (
  select l.organisation_id, l.run_date, l.state, l.decided_at
  from certvakt.runs l
  where l.organisation_id = o.id and l.state <> 'missed'
  order by l.id desc
  limit 1
) r
where r.state = 'held' and r.decided_at is null
union all
select p.organisation_id, null, p.organisation, p.partner, p.is_administered, p.is_stopped, p.reports_waiting
from certvakt.partner_alarms() p
