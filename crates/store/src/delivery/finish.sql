-- Records the outcomes of claimed deliveries. A delivery whose lease was lost, or that was deleted with its notice, is
-- not changed. A delivery that was released without a message counts no attempt.
--
-- $1 lease token   $2 outcomes of deliveries   $3 outcomes of their messages
with done as (
  update certvakt.deliveries d
  set state = r.state, reason = r.reason, lease_token = null, lease_until = null,
      attempt = d.attempt - case when r.state = 'pending' and not r.was_tried then 1 else 0 end,
      refused = d.refused || r.refused,
      available_at = case when r.state <> 'unreachable' then now() + make_interval(secs => r.wait_seconds) end,
      finished_at = case when r.state in ('delivered', 'cancelled') then now() end,
      cancelled_in = case when r.state = 'cancelled' then pg_current_xact_id() end
  from (
    select o.*, o.id in (select m.delivery_id from unnest($3::certvakt.message_outcome[]) m) as was_tried
    from unnest($2::certvakt.delivery_outcome[]) o
  ) r
  -- Combined into one condition, so that the planner can only look up deliveries by id. With statistics that are older
  -- than the queue, comparing every open delivery with every outcome may look cheaper.
  where d.id = r.id and (d.attempt = r.attempt and d.lease_token = $1 and d.state = 'claimed') is true
  returning d.id, d.organisation_id
),
-- After a delivery, the channel is no longer stopped, neither globally nor for the organisation. `is true` prevents a join
-- of all deliveries with all messages: usually, nothing is stopped.
working as (
  delete from certvakt.channel_stops s
  where (exists (
    select from unnest($3::certvakt.message_outcome[]) m
    join done on done.id = m.delivery_id
    where m.outcome = 'delivered' and m.channel = s.channel
      and (s.organisation_id is null or s.organisation_id = done.organisation_id))) is true
)
insert into certvakt.delivery_attempts (delivery_id, attempt, message, channel, outcome, detail)
select m.delivery_id, m.attempt, m.message, m.channel, m.outcome, m.detail
from unnest($3::certvakt.message_outcome[]) m
-- `is true` prevents a nested loop over all pairs.
where (m.delivery_id in (select id from done)) is true
