-- A register that still contains an erased person does not add them again.
update import_rows r
set reject_column = case when certvakt.register_id_digest($1, r.external_id) in (
    select e.digest from certvakt.erased_register_ids e where e.organisation_id = $1) then 'external_id'
    when r.person_id is not null then 'person_id' else 'replaces' end,
  reject_reason = 'the person was erased: take the row out of the register'
where r.reject_reason is null and r.duplicate_of is null
  and exists (select from certvakt.erased_register_ids e where e.organisation_id = $1)
  and exists (
    select from certvakt.erased_register_ids e
    where e.organisation_id = $1
      and e.digest in (certvakt.register_id_digest($1, r.external_id), certvakt.register_id_digest($1, r.person_id),
        certvakt.register_id_digest($1, r.replaces)))
