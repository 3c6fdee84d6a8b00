select c.id, c.organisation_id, c.chapter_id, (select h.name from certvakt.chapters h where h.id = c.chapter_id) as chapter,
  c.peer_mentor_id as mentor_id, (select p.name from certvakt.people p where p.id = c.peer_mentor_id) as mentor,
  c.certification_type as type_code,
  (select t.name from certvakt.certification_types t where t.organisation_id = c.organisation_id and t.code = c.certification_type) as type_name,
  c.external_id, c.issued_at, c.expires_at, c.status, c.updated_at, o.time_zone, o.expired_grace_days
from public.peer_mentor_certifications c
join certvakt.organisations o on o.id = c.organisation_id
where c.peer_mentor_id = $1
order by coalesce(c.expires_at, 'infinity'), c.id
