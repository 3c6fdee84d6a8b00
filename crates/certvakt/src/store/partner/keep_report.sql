-- Keeps a report of event $4, unless it has come before. What does not wait is settled at once. Of somebody who was
-- deleted or erased the key is not kept: whoever erases them at this moment has ended, or waits and finds the report.
with mentor as (
  select l.person_id from certvakt.listings l
  where l.organisation_id = $1 and l.partner = $2 and l.partner_key = $5
  for no key update
)
insert into certvakt.partner_reports (organisation_id, partner, stage, event_id, partner_key, certification_type,
  certification_id, completed_on, valid_until, outcome, reason, settled_at)
select $1, $2, $3, $4, case when not exists (select from mentor where person_id is null) then $5 end, $6, $7, $8, $9, $10, $11,
  case when $10 <> 'waiting' then now() end
on conflict do nothing
