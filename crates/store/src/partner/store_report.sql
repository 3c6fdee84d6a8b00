-- Stores a report, unless its event is stored already. A report that does not wait is resolved immediately. The key is stored
-- for known mentors, and while a person must identify the mentor. A concurrent erasure of the mentor has either committed, or
-- waits for the lock and then finds the report.
--
-- $1 organisation     $2 partner     $3 the portal's environment     $4 the report, as JSON
with report as (
  select * from jsonb_to_record($4) as r (
    event_id text, partner_key text, certification_type text, certification_id uuid, completed_on date, valid_until date,
    outcome text, reason text)
),
mentor as (
  select l.person_id from certvakt.listings l
  where l.organisation_id = $1 and l.partner = $2 and l.partner_key = (select r.partner_key from report r)
  for no key update
)
insert into certvakt.partner_reports (organisation_id, partner, environment, event_id, partner_key, certification_type,
  certification_id, completed_on, valid_until, outcome, reason, resolved_at)
select $1, $2, $3, r.event_id,
  case when known.is_here or x.outcome = 'waiting' then r.partner_key end, r.certification_type, r.certification_id,
  r.completed_on, r.valid_until, x.outcome,
  case when x.outcome = r.outcome then r.reason else 'mentor-gone' end, case when x.outcome <> 'waiting' then now() end
from report r
cross join (
  select exists (select from mentor where person_id is not null) as is_here, exists (select from mentor where person_id is null) as is_gone
) known
cross join lateral (select case when r.outcome = 'waiting' and known.is_gone then 'dismissed' else r.outcome end as outcome) x
on conflict do nothing
