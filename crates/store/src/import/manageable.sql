-- Finds the people of the organisation ($1) all of whose chapters are within the limits of the import ($2).
insert into import_manageable (person_id)
select p.person_id
from (
  select m.person_id, m.chapter_id from certvakt.memberships m where m.organisation_id = $1
  union all
  select c.peer_mentor_id, c.chapter_id from public.peer_mentor_certifications c where c.organisation_id = $1
) p
group by p.person_id having bool_and(p.chapter_id = any ($2))
