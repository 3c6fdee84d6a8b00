-- $1 hash of the link's token, or null   $2 hash of the browser's secret and $3 of the code, or null
-- A code is compared only with those that the same browser requested. A wrong one counts against each of them. Attempts at
-- the same time wait for each other's row lock.
with used as (
  update certvakt.mail_queue l set used_at = now() from certvakt.contact_points k
  where l.kind = 'link' and l.used_at is null and l.expires_at > now() and k.id = l.contact_point_id
    and (l.token_hash = $1 or (l.browser_hash = $2 and l.code_hash = $3 and l.wrong_codes < 5))
  returning l.person_id, k.address, l.return_to
),
wrong as (
  update certvakt.mail_queue l set wrong_codes = l.wrong_codes + 1
  where l.browser_hash = $2 and l.kind = 'link' and l.code_hash is distinct from $3 and l.wrong_codes < 5
),
login as (
  insert into certvakt.identities (issuer, subject, person_id)
  select 'urn:certvakt:link', person_id::text, person_id from used
  on conflict do nothing
),
address as (
  insert into certvakt.address_uses (person_id, address)
  select person_id, lower(address) from used
  on conflict do nothing
)
select 'urn:certvakt:link' as "issuer!", person_id::text as "subject!", address as "address!", return_to from used
