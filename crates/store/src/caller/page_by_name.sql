-- A page of given certifications in the order of their mentors' family names, or names without one, as the Norwegian alphabet
-- sorts them.
--
-- $1 certifications   $2 the last certification of the previous page   $3 maximum number
with found as materialized (
  select c.*, certvakt.alphabetical(coalesce(c.mentor, ''), c.family_name) as place
  from certvakt.certification_details(array_append($1::uuid[], $2::uuid), false) c
)
select c.id as "id!", c.organisation_id as "organisation_id!", c.chapter_id as "chapter_id!", c.chapter,
  c.mentor_id as "mentor_id!", c.mentor, c.family_name, c.is_mentor_erased as "is_mentor_erased!", c.type_code as "type_code!",
  c.type_name, c.external_id, c.issued_at, c.expires_at, c.status as "status!: CertificationStatus",
  c.suspended_until, c.is_withdrawn as "is_withdrawn!", c.is_managed as "is_managed!", c.updated_at as "updated_at!",
  c.time_zone as "zone!: Zone", c.expired_grace_days as "expired_grace_days!", c.lead_times as "lead_times!"
from found c
-- The last one is among them even if it has left the list meanwhile.
left join found l on l.id = $2
where c.id = any ($1) and ($2::uuid is null or (c.place, c.id) > (l.place, l.id))
order by c.place, c.id
limit $3
