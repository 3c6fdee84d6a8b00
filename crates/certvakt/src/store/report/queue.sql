select
  count(*) filter (where state = 'pending') as "pending!",
  count(*) filter (where state = 'claimed') as "claimed!",
  count(*) filter (where state = 'unreachable') as "unreachable!",
  (select count(*) from certvakt.deliveries where state = 'given_up' and finished_at > now() - interval '30 days') as "given_up!"
from certvakt.deliveries
where state in ('pending', 'claimed', 'unreachable')
