with sessions as (
  delete from certvakt.sessions where expires_at <= now() or seen_at <= now() - interval '12 hours'
),
letters as (
  delete from certvakt.letters where coalesce(expires_at, requested_at + good_for) <= now()
)
delete from certvakt.invitations where expires_at <= now()
