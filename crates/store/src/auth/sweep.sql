with sessions as (
  -- For an hour, an expired session still identifies the person whose form its browser sends.
  delete from certvakt.sessions where expires_at <= now() - interval '1 hour' or seen_at <= now() - interval '13 hours'
),
forms as (
  delete from certvakt.kept_forms where kept_at <= now() - interval '1 hour'
),
mails as (
  delete from certvakt.mail_queue where coalesce(expires_at, requested_at + valid_for) <= now()
),
browsers as (
  delete from certvakt.known_browsers where seen_at <= now() - interval '400 days'
),
results as (
  delete from certvakt.change_results where made_at <= now() - interval '1 day'
),
digests as (
  delete from certvakt.digests where on_date < now() - interval '400 days'
),
addresses as (
  delete from certvakt.former_addresses where left_at <= now() - interval '90 days'
)
delete from certvakt.invitations where expires_at <= now()
