-- Settles deliveries that addresses refused, at the end of the pass that tried them. A delivery that another worker has
-- claimed since is not changed.
--
-- Per delivery: $1 id, $2 attempt, $3 whether no contact point is left, $4 seconds to wait otherwise, or null to keep
-- the time, $5 reason; per address that refused permanently: $6 delivery, $7 contact point
update certvakt.deliveries d
set refused = d.refused || array(
      select b.contact from unnest($6::bigint[], $7::uuid[]) as b(delivery_id, contact) where b.delivery_id = d.id),
    state = case when r.is_unreachable then 'unreachable' else d.state end,
    reason = r.reason,
    available_at = case
      when r.is_unreachable then null
      when r.wait is null then d.available_at
      else now() + make_interval(secs => r.wait)
    end
from unnest($1::bigint[], $2::int[], $3::bool[], $4::float8[], $5::text[]) as r(id, attempt, is_unreachable, wait, reason)
where d.id = r.id and (d.attempt = r.attempt and d.state = 'pending' and d.finished_at is null) is true
