-- Of several rows about the same certification, the one that expires last counts, regardless of their order. $1 is the type
-- of rows that name none.
with repeated as (
  select external_id, coalesce(certification_type, $1) as certification_type from import_rows
  where reject_reason is null group by 1, 2 having count(*) > 1
),
ranked as (
  select r.line, first_value(r.line) over (
    partition by r.external_id, coalesce(r.certification_type, $1)
    -- Without a date, an active row never expires, and a suspended row does not change the date.
    order by r.expires_at is null and coalesce(r.status in ('suspended', 'over'), false), r.expires_at desc nulls first,
      r.status desc nulls last, r.suspended_until desc nulls last, r.issued_at desc nulls last, r.person_id, r.chapter_id,
      r.name, r.emails, r.phones, r.locale, r.push_token, r.replaces, r.line
  ) as counting
  from import_rows r
  join repeated on repeated.external_id = r.external_id
    and repeated.certification_type = coalesce(r.certification_type, $1)
  where r.reject_reason is null
)
update import_rows r
set duplicate_of = ranked.counting
from ranked
where r.line = ranked.line and ranked.line <> ranked.counting
