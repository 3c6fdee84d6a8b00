analyze import_rows;
-- Of several rows about the same certification, the one that expires last counts, regardless of their order.
with repeated as (
  select external_id, certification_type from import_rows
  where reject_reason is null group by external_id, certification_type having count(*) > 1
),
ranked as (
  select r.line, first_value(r.line) over (
    partition by r.external_id, r.certification_type
    -- Without a date, an active row never expires, and a suspended row does not change the date.
    order by r.expires_at is null and r.status is not distinct from 'suspended', r.expires_at desc nulls first,
      r.status desc nulls last, r.suspended_until desc nulls last, r.issued_at desc nulls last, r.person_id, r.chapter_id,
      r.name, r.emails, r.phones, r.locale, r.push_token, r.replaces, r.line
  ) as counting
  from import_rows r
  join repeated on repeated.external_id = r.external_id
    and repeated.certification_type is not distinct from r.certification_type
  where r.reject_reason is null
)
update import_rows r
set duplicate_of = ranked.counting
from ranked
where r.line = ranked.line and ranked.line <> ranked.counting;
-- A device belongs to one person. If a register lists it for several people, the owner is unknown.
update import_rows r
set push_token = null, push_token_reason = 'given for several people: leave it with the one whose device it is'
where r.push_token in (
  select push_token from import_rows
  where reject_reason is null and duplicate_of is null and push_token is not null
  group by push_token
  having min(coalesce(person_id, external_id)) <> max(coalesce(person_id, external_id)));
