update certvakt.person_names n
set locale = m.locale
from import_matches m
where n.person_id = m.person_id and n.organisation_id = $1 and m.locale_differs
