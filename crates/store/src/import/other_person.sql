-- A certification never moves to another person, and a number of one person never replaces that of another. If a number
-- belongs to somebody else now, its old certification must end first. $2 is the type of rows that name none.
update import_rows r
set reject_column = case when c.external_id = r.external_id then 'person_id' else 'replaces' end,
  reject_reason = 'the certification belongs to a person with another id: check both ids'
from public.peer_mentor_certifications c
where r.reject_reason is null and r.duplicate_of is null and r.person_id is not null
  and c.organisation_id = $1 and c.external_id = any (array[r.external_id, r.replaces])
  and c.certification_type = coalesce(r.certification_type, $2)
  and exists (
    select from certvakt.register_ids i where i.organisation_id = $1 and i.person_id = c.peer_mentor_id)
  and not exists (
    select from certvakt.register_ids i
    where i.organisation_id = $1 and i.external_id = r.person_id and i.person_id = c.peer_mentor_id)
