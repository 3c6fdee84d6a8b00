-- A register that still contains a person who died or left does not add them again. $2 are keys of rows that are about known
-- people ($3) by a decision. Within limits ($4), a register says nothing about people of other chapters.
update import_rows r
set reject_column = replace(ended.field, 'key', 'external_id'), reject_reason = 'the person has died or left: take the row out of the register, or record that they are back'
from (
  select f.field, c.external_id, e.person_id
  from certvakt.ended_people e
  join public.peer_mentor_certifications c on c.peer_mentor_id = e.person_id and c.organisation_id = e.organisation_id
  cross join (values ('external_id'), ('replaces')) f (field)
  where e.organisation_id = $1
  union
  select 'person_id', i.external_id, e.person_id
  from certvakt.ended_people e
  join certvakt.register_ids i on i.person_id = e.person_id and i.organisation_id = e.organisation_id
  where e.organisation_id = $1
  union
  select 'key', s.key, e.person_id
  from certvakt.ended_people e join unnest($2::text[], $3::uuid[]) s (key, person_id) on s.person_id = e.person_id
  where e.organisation_id = $1
) ended
where r.reject_reason is null and r.duplicate_of is null
  and ($4::uuid[] is null or exists (select from import_manageable p where p.person_id = ended.person_id))
  and ended.external_id = case ended.field
    when 'external_id' then r.external_id
    when 'replaces' then r.replaces
    when 'person_id' then r.person_id
    else coalesce(r.person_id, r.external_id)
  end
