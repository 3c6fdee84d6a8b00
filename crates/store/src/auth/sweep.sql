with sessions as (
  delete from certvakt.sessions where expires_at <= now() or seen_at <= now() - interval '12 hours'
),
mails as (
  delete from certvakt.mail_queue where coalesce(expires_at, requested_at + valid_for) <= now()
),
browsers as (
  delete from certvakt.known_browsers where seen_at <= now() - interval '400 days'
),
addresses as (
  delete from certvakt.former_addresses where left_at <= now() - interval '90 days'
)
delete from certvakt.invitations where expires_at <= now()
