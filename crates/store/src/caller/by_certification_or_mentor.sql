-- $1 certifications, or $2 the mentor
select c.id as "id!", c.organisation_id as "organisation_id!", c.chapter_id as "chapter_id!", c.chapter,
  c.mentor_id as "mentor_id!", c.mentor, c.family_name, c.is_mentor_erased as "is_mentor_erased!", c.type_code as "type_code!",
  c.type_name, c.external_id, c.issued_at, c.expires_at, c.status as "status!: CertificationStatus",
  c.suspended_until, c.is_withdrawn as "is_withdrawn!", c.is_managed as "is_managed!", c.updated_at as "updated_at!",
  c.time_zone as "zone!: Zone", c.expired_grace_days as "expired_grace_days!", c.lead_times as "lead_times!"
from certvakt.certification_details(
  array(select p.id from public.peer_mentor_certifications p where p.id = any ($1) or p.peer_mentor_id = $2), false) c
order by coalesce(c.expires_at, 'infinity'), c.id
