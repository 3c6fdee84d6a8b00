-- Gives keys of the rows ($2) to people whom the organisation ($1) knows already ($3). A key that is known keeps its person.
insert into import_people (key, person_id, is_new)
select s.key, s.person_id, false
from unnest($2::text[], $3::uuid[]) s (key, person_id)
where exists (
    select from certvakt.person_names n join certvakt.people p on p.id = n.person_id
    where n.organisation_id = $1 and n.person_id = s.person_id and p.erased_at is null)
  and exists (select from import_rows r where coalesce(r.person_id, r.external_id) = s.key)
  and not exists (
    select from public.peer_mentor_certifications c where c.organisation_id = $1 and c.external_id = s.key)
on conflict (key) do update set person_id = excluded.person_id, is_new = false where import_people.is_new
