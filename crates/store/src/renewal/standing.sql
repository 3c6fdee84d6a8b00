select c.organisation_id, o.time_zone as "zone: Zone", c.issued_at, c.expires_at, c.status as "status: CertificationStatus", c.updated_at, t.validity_months, t.renewal_rule,
  certvakt.is_withdrawn(c.status, c.renewal_history) as "is_withdrawn!",
  certvakt.is_made(c.id, $2) as "is_made!"
from public.peer_mentor_certifications c
join certvakt.organisations o on o.id = c.organisation_id
join certvakt.certification_types t on t.organisation_id = c.organisation_id and t.code = c.certification_type
where c.id = $1
