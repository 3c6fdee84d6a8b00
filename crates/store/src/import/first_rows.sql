-- Of several rows of a person, the first with a value determines the name, the addresses and the language. A new person has
-- several rows only if they have another key than the id of one certification ($1).
update import_matches m
set person_is_new = m.person_is_new and m.line = f.line,
  name_differs = m.name_differs and m.line = f.name_line,
  email_differs = m.email_differs and m.line = f.email_line,
  phone_differs = m.phone_differs and m.line = f.phone_line,
  locale_differs = m.locale_differs and m.line = f.locale_line
from (
  select person_id, min(line) as line,
    min(line) filter (where name is not null) as name_line,
    min(line) filter (where emails is not null) as email_line,
    min(line) filter (where phones is not null) as phone_line,
    min(line) filter (where locale is not null) as locale_line
  from import_matches where $1 or not person_is_new group by person_id having count(*) > 1
) f
where f.person_id = m.person_id
