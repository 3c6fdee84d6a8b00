with used as (
  update certvakt.letters set used_at = now()
  where token_hash = $1 and kind = 'link' and used_at is null and expires_at > now()
  returning person_id
),
login as (
  insert into certvakt.identities (issuer, subject, person_id)
  select 'urn:certvakt:link', person_id::text, person_id from used
  on conflict do nothing
)
insert into certvakt.sessions (token_hash, issuer, subject)
select $2, 'urn:certvakt:link', person_id::text from used
