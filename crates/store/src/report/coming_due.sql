-- $1 organisation   $2 its time zone   $3 names and $4 days of the stages
-- $5..$6 per stage, from and before: the expiries that come due in the requested nights
-- $7..$8 per stage, the types that have it (certvakt.run_input)
-- $9 the number of days by which a corrected due date must move before a stage is notified again
with told as materialized (
  select certification_id, stage, due_date from certvakt.notified_before where organisation_id = $1
),
coming as (
  select c.id, s.stage, (c.expires_at at time zone $2)::date - s.days_before as night
  from unnest($3::text[], $4::int[], $5::timestamptz[], $6::timestamptz[], $7::text[], $8::int[])
    as s(stage, days_before, due_from, due_before, types, selection)
  join public.peer_mentor_certifications c
    on c.organisation_id = $1 and c.status <> 'suspended' and c.expires_at >= s.due_from and c.expires_at < s.due_before
    and (c.certification_type = any (string_to_array(s.types, ','))) = (s.selection > 0)
)
select night as "night!", stage as "stage!", count(*) as "notices!"
from coming
where not exists (
  select from told where told.certification_id = coming.id and told.stage = coming.stage
    and coming.night - told.due_date < $9)
group by night, stage
order by night, stage
