-- Finds the certifications that a row names as replaced by its own. The register decides, unless its ids of people contradict
-- it (other_person.sql). Two that name each other stay as they are.
insert into import_replacements (certification_id, successor_id, status, suspended_until)
select distinct on (o.id) o.id, c.id, o.status, o.suspended_until
from import_matches m
join public.peer_mentor_certifications c
  on c.organisation_id = $1 and c.external_id = m.external_id and c.certification_type = m.certification_type
join public.peer_mentor_certifications o
  on o.organisation_id = $1 and o.external_id = m.replaces and o.certification_type = m.certification_type
where m.replaces is not null
  and case when o.status = 'suspended' then not certvakt.is_withdrawn(o.status, o.renewal_history) else true end
  and not exists (
    select from import_matches r
    where r.external_id = m.replaces and r.certification_type = m.certification_type and r.replaces = m.external_id)
order by o.id, c.expires_at desc nulls first, c.id
on conflict do nothing
