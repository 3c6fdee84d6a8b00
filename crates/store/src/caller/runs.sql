-- $1 the id of the last run of the previous page   $2 maximum number   $3 whether to return only the latest run of each
-- organisation, except missed nights, if it is held
select r.id, r.organisation_id, r.run_date, r.state, r.notices as "notices: Json<ByStage>", r.covered_by, r.reason,
  r.finished_at, r.approved_at
from certvakt.runs r
where ($1::bigint is null or r.id < $1)
  and (not $3::boolean or r.state = 'held' and r.id in (
    select max(l.id) from certvakt.runs l where l.state <> 'missed' group by l.organisation_id))
order by r.id desc
limit $2::bigint
