-- Records the missed nights that this run covers, the run itself, and the progress of the runs.
--
-- $1 organisation     $2 date of the run     $3 the other columns of certvakt.runs, as JSON
-- $4 missed nights     $5 snapshot for the next run     $6 days for which `expired` was current     $7 lead times
-- $8 lead times of the types that selected other ones
with missed as (
  insert into certvakt.runs (organisation_id, run_date, state, covered_by)
  select $1, night::date, 'missed', $2
  from unnest($4::date[]) as night
),
moved as (
  update certvakt.run_calendars
  set last_complete_date = $2,
      read_through = $5::text::pg_snapshot,
      read_on = certvakt.this_database(),
      grace_days = $6,
      lead_times = $7,
      lead_times_of_types = $8
  where organisation_id = $1
)
insert into certvakt.runs
  (organisation_id, run_date, state, notices, already_recorded, superseded, unreachable, record_limit, approved)
select $1, $2, 'complete', r.notices, r.already_recorded, r.superseded, r.unreachable, r.record_limit, r.approved
from jsonb_populate_record(null::certvakt.runs, $3) r
