-- $1 how many   $2 the last one seen   $3 chapter   $4 what a name contains
select p.id as "id!", p.name, p.locale, p.erased_at
from certvakt.search_people(
  certvakt.folded($4), $1, (select coalesce(seen.name, '') from certvakt.people seen where seen.id = $2), $2, $3) p
