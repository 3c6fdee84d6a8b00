-- Records the missed nights that this run covers, the run itself, and the progress of the runs.
with missed as (
  insert into certvakt.runs (organisation_id, run_date, state, covered_by)
  select $1, night::date, 'missed', $2
  from unnest($3::date[]) as night
),
moved as (
  update certvakt.run_calendars
  set last_complete_date = $2,
      read_through = $4::text::pg_snapshot,
      read_on = certvakt.this_database(),
      grace_days = $14
  where organisation_id = $1
)
insert into certvakt.runs
  (organisation_id, run_date, state, expiry_warning_90d, expiry_warning_30d, expiry_warning_7d, expired,
   already_recorded, superseded, unreachable, record_limit, approved)
values ($1, $2, 'complete', $5, $6, $7, $8, $9, $10, $11, $12, $13)
