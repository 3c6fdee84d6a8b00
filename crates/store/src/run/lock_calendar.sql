-- Locks the organisation's run row until the transaction ends, and says how far the runs have come.
-- A snapshot taken on another server or database (a restore) means nothing here. The one taken now is
-- older than all that this run will read: what it does not see is read by the next run.
insert into certvakt.run_calendars as calendar (organisation_id) values ($1)
on conflict (organisation_id) do update set organisation_id = excluded.organisation_id
returning
  last_complete_date,
  read_through::text as "read_through?",
  grace_days as "grace_days?",
  coalesce(read_on = certvakt.this_database(), true) as "is_ours!",
  pg_current_snapshot()::text as "snapshot!"
