-- Ends claimed deliveries. One whose lease was lost, or that has vanished with its notice, is left
-- alone: its attempt was not ours to report any more.
--
-- $1 lease token; per delivery: $2 id, $3 attempt, $4 state, $5 reason, $6 seconds to wait;
-- per attempt: $7 delivery, $8 channel, $9 outcome, $10 detail
with done as (
  update certvakt.deliveries d
  set state = r.state, reason = r.reason, lease_token = null, lease_until = null,
      available_at = now() + make_interval(secs => r.wait),
      finished_at = case when r.state in ('delivered', 'given_up', 'cancelled') then now() end
  from unnest($2::bigint[], $3::int[], $4::text[], $5::text[], $6::float8[]) as r(id, attempt, state, reason, wait)
  where d.id = r.id and d.attempt = r.attempt and d.lease_token = $1 and d.state = 'claimed'
  returning d.id, d.attempt
)
insert into certvakt.delivery_attempts (delivery_id, attempt, channel, outcome, detail)
select done.id, done.attempt, a.channel, a.outcome, a.detail
from done
join unnest($7::bigint[], $8::text[], $9::text[], $10::text[]) as a(delivery_id, channel, outcome, detail)
  on a.delivery_id = done.id
