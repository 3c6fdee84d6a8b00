-- Counts the certifications of the chapters ($2) and types ($3) in the file that were valid before the import.
select (
    select count(*) from public.peer_mentor_certifications c
    where c.organisation_id = $1 and c.chapter_id = any ($2) and c.certification_type = any ($3) and c.status <> 'suspended'
  ) - (select count(*) from import_matches m where m.certification_id is null and m.status <> 'suspended') as covered,
  o.run_limit_floor, o.run_limit_percent
from certvakt.organisations o where o.id = $1
