-- $1 maximum number   $2 last id of the previous page   $3 chapter   $4 text to find in names
select p.id as "id!", p.name, p.locale, p.erased_at
from certvakt.search_people(
  certvakt.folded($4), $1,
  (select certvakt.alphabetical(coalesce(seen.name, ''), seen.family_name) from certvakt.people seen where seen.id = $2),
  $2, $3) p
