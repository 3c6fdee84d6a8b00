with used as (
  update certvakt.mail_queue l set used_at = now() from certvakt.contact_points k
  where l.token_hash = $1 and l.kind = 'link' and l.used_at is null and l.expires_at > now() and k.id = l.contact_point_id
  returning l.person_id, k.address
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
select 'urn:certvakt:link' as "issuer!", person_id::text as "subject!", address as "address!" from used
