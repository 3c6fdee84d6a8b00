-- What a Supabase team would schedule with pg_cron: one statement that finds the due certifications, computes the keys
-- and inserts the notices. It writes no deliveries, sets no status, and knows neither limits nor corrected dates.

create schema nightly;
create function nightly.record_notices(run_date date) returns bigint
language sql as $$
  with due as (
    select c.id, c.peer_mentor_id, s.stage, local.last_valid_day - s.days_before as due_date
    from certvakt.organisations o
    join public.peer_mentor_certifications c on c.organisation_id = o.id
    cross join lateral (select (c.expires_at at time zone o.time_zone)::date as last_valid_day) local
    join (values
      ('expiry_warning_90d', 90, 31),
      ('expiry_warning_30d', 30, 8),
      ('expiry_warning_7d', 7, 0),
      ('expired', -1, -30)) s (stage, days_before, until_days_before)
      on local.last_valid_day - record_notices.run_date between s.until_days_before and s.days_before
    where c.status <> 'suspended'
      and c.expires_at >= (record_notices.run_date - 31)::timestamptz
      and c.expires_at < (record_notices.run_date + 92)::timestamptz
  ),
  recorded as (
    insert into public.cert_notification_log (certification_id, notification_type, sent_at, recipient_id, idempotency_key)
    select d.id, d.stage, clock_timestamp(), d.peer_mentor_id,
      encode(sha256(convert_to(d.id || '|' || d.stage || '|' || to_char(d.due_date::timestamp, 'YYYY-MM-DD'), 'UTF8')), 'hex')
    from due d
    on conflict (idempotency_key) do nothing
    returning 1
  )
  select count(*) from recorded
$$;
