-- Releases deliveries whose lease expired before their worker recorded an outcome.
with lost as (
  select id from certvakt.deliveries where finished_at is null and state = 'claimed' and lease_until < now()
  for update skip locked
),
returned as (
  update certvakt.deliveries d
  set state = 'pending', lease_token = null, lease_until = null, available_at = now()
  from lost where d.id = lost.id
  returning d.id, d.attempt
)
insert into certvakt.delivery_attempts (delivery_id, attempt, outcome, detail)
select id, attempt, 'lease_lost', 'the worker did not report back' from returned
