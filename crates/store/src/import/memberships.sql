insert into certvakt.memberships (organisation_id, chapter_id, person_id, role)
select $1, chapter_id, person_id, 'mentor'
from import_matches
where moved
on conflict do nothing
