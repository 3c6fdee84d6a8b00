select
  count(*) filter (where state = 'pending') as "pending!",
  count(*) filter (where state = 'claimed') as "claimed!",
  count(*) filter (where state = 'unreachable') as "unreachable!",
  (select count(*) from certvakt.deliveries where state = 'given_up' and finished_at > now() - interval '30 days') as "given_up!",
  coalesce(extract(epoch from now() - min(available_at) filter (where state = 'pending' and available_at <= now())), 0)::float8
    as "oldest_pending_seconds!"
from certvakt.deliveries
where state in ('pending', 'claimed', 'unreachable')
