-- Counts the rows that look wrong together. A row that could be read, but belongs to somebody else, is no sign of a wrong file. $1 is the organisation's time zone.
select
  (select count(*) from import_rows where reject_code is null) as read,
  (select count(*) from import_rows where reject_reason is not null and reject_code is null) as rejected,
  count(*) as known,
  count(*) filter (where m.expires_at is distinct from m.expires_before) as moved,
  count(*) filter (
    where m.expires_at is distinct from m.expires_before
      and to_char(m.expires_before at time zone $1, 'YYYY-MM-DD') = to_char(m.expires_at at time zone $1, 'YYYY-DD-MM')) as swapped
from import_matches m where m.expires_before is not null
