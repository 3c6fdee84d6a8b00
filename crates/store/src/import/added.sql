insert into public.peer_mentor_certifications
  (organisation_id, chapter_id, peer_mentor_id, certification_type, external_id, issued_at, expires_at, status,
    suspended_until)
select $1, chapter_id, person_id, certification_type, external_id, issued_at, expires_at, status, suspended_until
from import_matches
where certification_id is null
