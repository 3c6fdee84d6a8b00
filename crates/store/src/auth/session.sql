with session as (
  select token_hash, id, issuer, subject, authenticated_at, acr from certvakt.sessions
  where token_hash = $1 and expires_at > now() and seen_at > now() - interval '12 hours'
),
seen as (
  update certvakt.sessions s set seen_at = now() from session
  where s.token_hash = session.token_hash and s.seen_at < now() - interval '5 minutes'
)
select id, issuer, subject, authenticated_at, acr from session
