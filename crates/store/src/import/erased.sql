-- A register that still contains an erased person does not add them again.
update import_rows r
set reject_column = 'external_id', reject_reason = 'the person was erased: take the row out of the register'
where r.reject_reason is null
  and exists (select from certvakt.erased_register_ids e where e.organisation_id = $1)
  and exists (
    select from certvakt.erased_register_ids e
    where e.organisation_id = $1 and e.digest = certvakt.register_id_digest($1, r.external_id))
