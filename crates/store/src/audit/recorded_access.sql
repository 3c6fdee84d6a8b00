-- Numbers are taken one after the other, so between the first and the last that are known as many are missing
-- as were lost. A server that crashed itself may have skipped up to 32.
select count(e.person_id) as "events!", coalesce(max(known.last) - max(known.first) + 1 - count(e.number), 0) as "lost!"
from (
  select min(number) as first, max(number) as last from certvakt.access_events
  where at > now() - make_interval(days => $1) and at < now() - interval '1 minute'
) known
left join certvakt.access_events e on e.number between known.first and known.last
