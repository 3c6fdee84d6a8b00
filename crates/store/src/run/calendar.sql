select
  last_complete_date,
  read_through::text as "read_through?",
  grace_days as "grace_days?",
  lead_times as "lead_times?",
  lead_times_of_types as "lead_times_of_types?: Json<LeadTimesOfTypes>",
  coalesce(read_on = certvakt.this_database(), true) as "is_ours!"
from certvakt.run_calendars
where organisation_id = $1
