-- $1 hash of the session's secret   $2 issuer   $3 subject   $4 address of the link   $5 browser
-- $6 hash of the browser's token   $7 time of the authentication at the provider   $8 its method
with begun as (
  insert into certvakt.sessions (token_hash, issuer, subject, address, browser, authenticated_at, acr)
  values ($1, $2, $3, $4, $5, $7, $8)
),
person as (
  select person_id from certvakt.identities where issuer = $2 and subject = $3
),
new_to as (
  select person_id from person
  where not exists (
    select from certvakt.known_browsers k where k.person_id = person.person_id and k.token_hash = $6)
),
remembered as (
  insert into certvakt.known_browsers as k (person_id, token_hash)
  select person_id, $6 from person
  on conflict (person_id, token_hash) do update set seen_at = now()
)
-- The address that received the link needs no notification.
select certvakt.notify_person(person_id, null, 'new-login', $4) from new_to
