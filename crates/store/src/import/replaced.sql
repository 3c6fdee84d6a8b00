-- Withdraws the replaced certifications, and records their successors.
with withdrawn as (
  update public.peer_mentor_certifications c set status = 'suspended'
  from import_replacements r where c.id = r.certification_id
)
insert into certvakt.replacements (certification_id, successor_id)
select certification_id, successor_id from import_replacements
on conflict (certification_id) do update set successor_id = excluded.successor_id, replaced_at = now()
