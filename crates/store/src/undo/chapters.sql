-- Deletes the chapters that the import created, if they are empty.
delete from certvakt.chapters h
where h.id = any ($1)
  and not exists (select from public.peer_mentor_certifications c where c.organisation_id = h.organisation_id and c.chapter_id = h.id)
  and not exists (select from certvakt.memberships m where m.chapter_id = h.id)
  and not exists (select from certvakt.chapters below where below.parent_id = h.id)
