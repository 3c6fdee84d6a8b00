-- Records the outcomes of claimed deliveries. A delivery whose lease was lost, or that was deleted with its notice, is
-- not changed. A delivery that was released without a try counts no attempt.
--
-- $1 lease token; per delivery: $2 id, $3 attempt, $4 state, $5 reason, $6 seconds to wait;
-- per contact point that refused permanently: $7 delivery, $8 contact point;
-- per message: $9 delivery, $10 attempt, $11 sequence number, $12 channel, $13 outcome, $14 detail
with done as (
  update certvakt.deliveries d
  set state = r.state, reason = r.reason, lease_token = null, lease_until = null,
      attempt = d.attempt - case when r.state = 'pending' and d.id <> all ($9::bigint[]) then 1 else 0 end,
      refused = case when cardinality($7::bigint[]) = 0 then d.refused else d.refused || array(
        select b.contact from unnest($7::bigint[], $8::uuid[]) as b(delivery_id, contact) where b.delivery_id = d.id)
      end,
      available_at = case when r.state <> 'unreachable' then now() + make_interval(secs => r.wait) end,
      finished_at = case when r.state in ('delivered', 'cancelled') then now() end,
      cancelled_in = case when r.state = 'cancelled' then pg_current_xact_id() end
  from unnest($2::bigint[], $3::int[], $4::text[], $5::text[], $6::float8[]) as r(id, attempt, state, reason, wait)
  -- Combined into one condition, so that the planner can only look up deliveries by id. With statistics that are older
  -- than the queue, comparing every open delivery with every outcome may look cheaper.
  where d.id = r.id and (d.attempt = r.attempt and d.lease_token = $1 and d.state = 'claimed') is true
  returning d.id, d.organisation_id
),
-- After a delivery, the channel is no longer stopped, neither globally nor for the organisation.
working as (
  delete from certvakt.channel_stops s
  using unnest($9::bigint[], $12::text[], $13::text[]) as a(delivery_id, channel, outcome), done
  where a.outcome = 'delivered' and done.id = a.delivery_id and s.channel = a.channel
    and (s.organisation_id is null or s.organisation_id = done.organisation_id)
)
insert into certvakt.delivery_attempts (delivery_id, attempt, message, channel, outcome, detail)
select a.delivery_id, a.attempt, a.message, a.channel, a.outcome, a.detail
from unnest($9::bigint[], $10::int[], $11::smallint[], $12::text[], $13::text[], $14::text[])
  as a(delivery_id, attempt, message, channel, outcome, detail)
-- `is true` prevents a nested loop over all pairs.
where (a.delivery_id in (select id from done)) is true
