-- The certifications with the latest notices that wait for an address that works.
--
-- $1 chapter   $2 maximum number
select c.id as "id!", c.organisation_id as "organisation_id!", c.chapter_id as "chapter_id!", c.chapter,
  c.mentor_id as "mentor_id!", c.mentor, c.family_name, c.is_mentor_erased as "is_mentor_erased!", c.type_code as "type_code!",
  c.type_name, c.external_id, c.issued_at, c.expires_at, c.status as "status!: CertificationStatus",
  c.suspended_until, c.is_withdrawn as "is_withdrawn!", c.is_managed as "is_managed!", c.updated_at as "updated_at!",
  c.time_zone as "zone!: Zone", c.expired_grace_days as "expired_grace_days!", c.lead_times as "lead_times!"
from certvakt.certification_details(array(
  select n.certification_id from certvakt.unreachable_notices(null, $1, 2147483647) n
  group by n.certification_id order by max(n.id) desc limit $2), false) c
