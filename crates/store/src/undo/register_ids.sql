-- Deletes the people's ids that the import recorded ($1: its organisation, $2: its time), unless a certification that was
-- added then or later belongs to the person.
delete from certvakt.register_ids i
where i.organisation_id = $1 and i.created_at = $2
  and not exists (
    select from public.peer_mentor_certifications c
    where c.organisation_id = $1 and c.peer_mentor_id = i.person_id and c.created_at >= $2)
