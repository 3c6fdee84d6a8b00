analyze import_rows;
-- Of several rows with the same id, the one that expires last counts, regardless of their order.
with twice as (
  select external_id from import_rows
  where reject_reason is null group by external_id having count(*) > 1
),
ranked as (
  select r.line, first_value(r.line) over (
    partition by r.external_id
    -- Without a date, an active row never expires, and a suspended row does not change the date.
    order by r.expires_at is null and r.status is not distinct from 'suspended', r.expires_at desc nulls first,
      r.status desc nulls last, r.issued_at desc nulls last, r.name, r.email, r.push_token, r.line
  ) as counting
  from import_rows r join twice using (external_id)
  where r.reject_reason is null
)
update import_rows r
set reject_column = 'external_id', reject_reason = format('given twice: line %s counts', ranked.counting)
from ranked
where r.line = ranked.line and ranked.line <> ranked.counting;
-- A device belongs to one person. If a register lists it for several people, the owner is unknown.
update import_rows r
set push_token = null, push_token_reason = 'given for several ids'
where r.push_token in (
  select push_token from import_rows
  where reject_reason is null and push_token is not null group by push_token having count(*) > 1);
