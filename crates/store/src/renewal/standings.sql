-- The state of certifications. $1 their ids, $2 for each an id of an entry that its history may contain
select c.id, c.organisation_id, o.time_zone as "zone: Zone", c.issued_at, c.expires_at,
  c.status as "status: CertificationStatus", c.suspended_until, c.updated_at, t.validity_months, t.renewal_rule,
  t.renewal_window_days,
  certvakt.is_withdrawn(c.status, c.renewal_history) as "is_withdrawn!",
  certvakt.has_entry(c.id, asked.entry::text) as "has_entry!"
from unnest($1::uuid[], $2::uuid[]) as asked (id, entry)
join public.peer_mentor_certifications c on c.id = asked.id
join certvakt.organisations o on o.id = c.organisation_id
join certvakt.certification_types t on t.organisation_id = c.organisation_id and t.code = c.certification_type
