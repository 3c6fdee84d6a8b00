select o.id as organisation_id, k.last_complete_date as "last_complete?",
  (select max(r.finished_at) from certvakt.runs r where r.organisation_id = o.id and r.state = 'complete') as finished_at,
  case when latest.state = 'held' then latest.run_date end as held,
  case when latest.state = 'held' then
    (select coalesce(sum(by_stage.value::bigint), 0)::bigint from jsonb_each_text(latest.notices) by_stage)
  end as held_notices,
  case when latest.state = 'held' then latest.approved_notices end as approved_notices,
  case when latest.state = 'failed' then latest.reason end as failed,
  (select count(*) from certvakt.runs r
   where r.organisation_id = o.id and r.state = 'missed' and r.finished_at > now() - interval '30 days') as "missed!"
from certvakt.organisations o
left join certvakt.run_calendars k on k.organisation_id = o.id
left join lateral (
  select r.* from certvakt.runs r
  where r.organisation_id = o.id and r.state <> 'missed' order by r.id desc limit 1
) latest on true
order by o.slug
