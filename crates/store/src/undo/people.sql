-- Deletes the people whom the import of organisation $2 at time $1 added, if nothing else refers to them.
delete from certvakt.people p
using (select distinct a.peer_mentor_id as id from undo_added a where not a.is_noticed and not a.is_changed) a
where p.id = a.id and p.created_at = $1 and p.erased_at is null
  and not exists (select from public.peer_mentor_certifications c where c.peer_mentor_id = p.id)
  and not exists (select from certvakt.memberships m where m.person_id = p.id)
  and not exists (select from certvakt.identities i where i.person_id = p.id)
  and not exists (select from certvakt.listings l where l.person_id = p.id)
  and not exists (
    select from certvakt.contact_points k where k.person_id = p.id and (k.organisation_id is null or k.organisation_id <> $2))
