-- Finds the certifications of the chapters ($2) and types ($3) in the file that are not in it. $4 is whether suspended ones
-- count. A rejected row shows that its certification is still in the register. The certifications of the person who sent it ($5)
-- do not count, and within limits ($6) only those of people whose chapters are all within them.
create temporary table import_missing on commit drop as
select c.id, c.external_id, c.status, c.suspended_until
from public.peer_mentor_certifications c
where c.organisation_id = $1 and c.chapter_id = any ($2) and c.certification_type = any ($3) and c.external_id is not null
  and case when c.status = 'suspended' then $4 and not certvakt.is_withdrawn(c.status, c.renewal_history) else true end
  and not exists (select from import_matches m where m.certification_id = c.id)
  and not exists (select from import_rows r where r.reject_reason is not null and r.external_id = c.external_id)
  and c.peer_mentor_id is distinct from $5
  and ($6::uuid[] is null or exists (select from import_manageable p where p.person_id = c.peer_mentor_id))
