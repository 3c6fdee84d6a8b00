-- If a successor is replaced in its turn, the new one is the successor of both.
update certvakt.replacements p
set successor_id = q.successor_id
from certvakt.replacements q
where p.successor_id = q.certification_id and p.certification_id <> q.successor_id
  and (p.certification_id in (select certification_id from import_replacements)
    or q.certification_id in (select certification_id from import_replacements))
