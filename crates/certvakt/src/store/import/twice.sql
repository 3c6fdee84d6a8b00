analyze import_rows;
-- The first row of an id counts.
update import_rows r
set reject_column = 'external_id', reject_reason = 'given twice, first in line ' || twice.first
from (
  select external_id, min(line) as first from import_rows
  where reject_reason is null group by external_id having count(*) > 1
) twice
where r.external_id = twice.external_id and r.line > twice.first and r.reject_reason is null;
