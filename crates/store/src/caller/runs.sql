-- The latest runs of each of the caller's organisations, by index, so that no run of another organisation is read.
--
-- $1 the id of the last run of the previous page   $2 maximum number   $3 whether to return only the latest run of each
-- organisation, except missed nights, if it is held
select r.id as "id!", r.organisation_id as "organisation_id!", r.run_date as "run_date!", r.state as "state!",
  r.notices as "notices!: Json<ByStage>", r.covered_by, r.reason, r.finished_at as "finished_at!", r.decided_at, r.approved_notices, r.examples as "examples!", r.record_limit
from unnest(certvakt.current_organisations()) as o (id)
cross join lateral (
  select l.id, l.organisation_id, l.run_date, l.state, l.notices, l.covered_by, l.reason, l.finished_at, l.decided_at, l.approved_notices, l.examples, l.record_limit
  from certvakt.runs l
  where l.organisation_id = o.id and ($1::bigint is null or l.id < $1) and (not $3::boolean or l.state <> 'missed')
  order by l.id desc
  limit case when $3 then 1 else $2::bigint end
) r
where not $3 or r.state = 'held'
order by r.id desc
limit $2
