-- Counts the people with several rows, and those of them whose rows have different names.
select count(*) as people, count(*) filter (where p.differ) as differ
from (
  select min(certvakt.folded(m.name)) <> max(certvakt.folded(m.name)) as differ
  from import_matches m where m.name is not null
  group by m.person_id having count(*) > 1
) p
