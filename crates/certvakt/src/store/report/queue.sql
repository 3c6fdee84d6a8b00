select
  (select count(*) from certvakt.deliveries where state = 'pending') as "pending!",
  (select count(*) from certvakt.deliveries where state = 'claimed') as "claimed!",
  (select count(*) from certvakt.deliveries where state = 'unreachable') as "unreachable!"
