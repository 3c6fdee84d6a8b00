update public.peer_mentor_certifications c
set chapter_id = m.chapter_id, issued_at = m.issued_at, expires_at = m.expires_at, status = m.status,
  suspended_until = m.suspended_until
from import_matches m
where c.id = m.certification_id and c.organisation_id = $1
  and (m.expires_before is distinct from m.expires_at or m.issued_before is distinct from m.issued_at
    or m.status_before is distinct from m.status or m.suspended_until_before is distinct from m.suspended_until or m.moved)
