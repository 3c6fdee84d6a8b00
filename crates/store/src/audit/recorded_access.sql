-- Sequence numbers are consecutive, so each gap between the first and the last known number is a lost event, except
-- that PostgreSQL may skip up to 32 numbers after a crash.
select count(e.person_id) as "events!", coalesce(max(known.last) - max(known.first) + 1 - count(e.number), 0) as "lost!"
from (
  select min(number) as first, max(number) as last from certvakt.access_events
  where at > now() - make_interval(days => $1) and at < now() - interval '1 minute'
) known
left join certvakt.access_events e on e.number between known.first and known.last
