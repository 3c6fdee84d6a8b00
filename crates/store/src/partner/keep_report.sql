-- Stores a report of event $4, unless it is stored already. A report that does not wait is settled immediately. The key
-- is stored for known mentors, and while a person must identify the mentor. A concurrent erasure of the mentor has
-- either committed, or waits for the lock and then finds the report.
with mentor as (
  select l.person_id from certvakt.listings l
  where l.organisation_id = $1 and l.partner = $2 and l.partner_key = $5
  for no key update
)
insert into certvakt.partner_reports (organisation_id, partner, stage, event_id, partner_key, certification_type,
  certification_id, completed_on, valid_until, outcome, reason, settled_at)
select $1, $2, $3, $4,
  case when known.is_here or x.outcome = 'waiting' then $5 end, $6, $7, $8, $9, x.outcome,
  case when x.outcome = $10 then $11 else 'mentor-gone' end, case when x.outcome <> 'waiting' then now() end
from (
  select exists (select from mentor where person_id is not null) as is_here, exists (select from mentor where person_id is null) as is_gone
) known
cross join lateral (select case when $10 = 'waiting' and known.is_gone then 'dismissed' else $10 end as outcome) x
on conflict do nothing
