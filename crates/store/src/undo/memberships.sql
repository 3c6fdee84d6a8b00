-- Deletes the memberships that the import added ($1: its organisation, $2: its time), where the mentor has no certification
-- any more. A membership of the same transaction has the same time.
delete from certvakt.memberships m
where m.organisation_id = $1 and m.role = 'mentor' and m.created_at = $2
  and not exists (
    select from public.peer_mentor_certifications c where c.peer_mentor_id = m.person_id and c.chapter_id = m.chapter_id)
