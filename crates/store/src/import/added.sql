insert into public.peer_mentor_certifications
  (organisation_id, chapter_id, peer_mentor_id, certification_type, external_id, issued_at, expires_at, status)
select $1, $2, person_id, $3, external_id, issued_at, expires_at, status
from import_matches
where certification_id is null
