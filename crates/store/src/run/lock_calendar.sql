-- Locks the organisation's row in run_calendars until the transaction ends, and returns the progress of the runs.
-- A snapshot from another server or database (after a restore) is ignored. The snapshot taken now is older than every
-- snapshot of this run, so the next run reads all changes that it does not contain.
insert into certvakt.run_calendars as calendar (organisation_id) values ($1)
on conflict (organisation_id) do update set organisation_id = excluded.organisation_id
returning
  last_complete_date,
  read_through::text as "read_through?",
  grace_days as "grace_days?",
  lead_times as "lead_times?",
  lead_times_of_types as "lead_times_of_types?: Json<LeadTimesOfTypes>",
  coalesce(read_on = certvakt.this_database(), true) as "is_ours!",
  pg_current_snapshot()::text as "snapshot!"
