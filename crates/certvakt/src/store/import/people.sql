with added as (
  insert into certvakt.people (id, name)
  select person_id, name from import_matches where person_is_new
)
update certvakt.people p
set name = m.name
from import_matches m
where p.id = m.person_id and not m.person_is_new and m.name_differs
