insert into certvakt.register_ids (organisation_id, external_id, person_id)
select $1, k.key, k.person_id from import_people k
on conflict do nothing
