-- A device belongs to one person. If a register lists it for several people, the owner is unknown.
update import_rows r
set push_token = null, push_token_reason = 'given for several people: leave it with the one whose device it is'
where r.push_token in (
  select push_token from import_rows
  where reject_reason is null and duplicate_of is null and push_token is not null
  group by push_token
  having min(coalesce(person_id, external_id)) <> max(coalesce(person_id, external_id)))
