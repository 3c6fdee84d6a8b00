-- Finds the due certifications, and records notices, deliveries and the status `expired`, unless the notices exceed the
-- limit. A single statement, and therefore a single snapshot.
--
-- $1, the type certvakt.run_input, names the input. PostgreSQL inlines it, so the planner sees constants: from anything
-- else it cannot estimate the number of rows.
-- The last bits of an id (version 4 or 7) are random. The condition on parts is written as `< 1` because the planner
-- estimates a third of the rows for an inequality, and hardly any for an equality.
with input as not materialized (select ($1::certvakt.run_input).*),
stages as (
  select s.stage, s.days_before, s.came_due_from, s.came_due_before, s.current_from, s.current_before, s.selection,
    string_to_array(s.types, ',') as types
  from input i, unnest(i.stages, i.days_before, i.came_due_from, i.came_due_before, i.current_from, i.current_before,
    i.types, i.selections) as s(stage, days_before, came_due_from, came_due_before, current_from, current_before,
    types, selection)
),
-- A transaction id above this server's range is from another server, before a restore. It is ignored, because the first
-- run here read everything.
changed as (
  select either.certification_id
  from input i, lateral (
    select k.certification_id
    from certvakt.certification_changes k
    where k.organisation_id = i.organisation_id
      and k.changed_in >= pg_snapshot_xmin(i.read_through::pg_snapshot)
      and k.changed_in < pg_snapshot_xmax(pg_current_snapshot())
      and not pg_visible_in_snapshot(k.changed_in, i.read_through::pg_snapshot)
    union
    select l.certification_id
    from certvakt.deliveries d
    join public.cert_notification_log l on l.id = d.id
    where d.organisation_id = i.organisation_id
      and d.cancelled_in >= pg_snapshot_xmin(i.read_through::pg_snapshot)
      and d.cancelled_in < pg_snapshot_xmax(pg_current_snapshot())
      and not pg_visible_in_snapshot(d.cancelled_in, i.read_through::pg_snapshot)
  ) either
  where i.change_parts = 1 or (get_byte(uuid_send(either.certification_id), 15) + i.change_part) % i.change_parts < 1
),
-- The first part selects due dates after the last complete run, the second part earlier ones, so the parts are
-- disjoint. The ranges are repeated as constants, because the planner estimates the number of rows only from constants. It
-- removes the conditions of positions that the arrays do not have: there are at most twelve lead times, and `expired`. It
-- also removes the condition on types if no type selected other lead times.
in_stage as (
  select c.id, c.ctid as place, c.peer_mentor_id, c.expires_at, s.stage, s.days_before, s.selection,
    (c.expires_at at time zone i.time_zone)::date as last_valid_day, i.read_through is null as may_be_recorded
  from input i, public.peer_mentor_certifications c
  join stages s on c.expires_at >= s.came_due_from and c.expires_at < s.came_due_before
  where c.organisation_id = i.organisation_id and c.status <> 'suspended'
    and (i.date_parts = 1 or (get_byte(uuid_send(c.id), 15) + i.date_part) % i.date_parts < 1)
    and (0 = all (i.selections) or (c.certification_type = any (s.types)) = (s.selection > 0)) and (
       c.expires_at >= i.read_from[1] and c.expires_at < i.read_before[1]
    or c.expires_at >= i.read_from[2] and c.expires_at < i.read_before[2]
    or c.expires_at >= i.read_from[3] and c.expires_at < i.read_before[3]
    or c.expires_at >= i.read_from[4] and c.expires_at < i.read_before[4]
    or c.expires_at >= i.read_from[5] and c.expires_at < i.read_before[5]
    or c.expires_at >= i.read_from[6] and c.expires_at < i.read_before[6]
    or c.expires_at >= i.read_from[7] and c.expires_at < i.read_before[7]
    or c.expires_at >= i.read_from[8] and c.expires_at < i.read_before[8]
    or c.expires_at >= i.read_from[9] and c.expires_at < i.read_before[9]
    or c.expires_at >= i.read_from[10] and c.expires_at < i.read_before[10]
    or c.expires_at >= i.read_from[11] and c.expires_at < i.read_before[11]
    or c.expires_at >= i.read_from[12] and c.expires_at < i.read_before[12]
    or c.expires_at >= i.read_from[13] and c.expires_at < i.read_before[13])
  union all
  select c.id, c.ctid as place, c.peer_mentor_id, c.expires_at, s.stage, s.days_before, s.selection,
    (c.expires_at at time zone i.time_zone)::date, true
  from input i, changed
  join public.peer_mentor_certifications c on c.id = changed.certification_id and c.status <> 'suspended'
  join stages s on c.expires_at >= s.current_from and c.expires_at < s.current_before
  where c.organisation_id = i.organisation_id
    and (0 = all (i.selections) or (c.certification_type = any (s.types)) = (s.selection > 0))
    and (c.expires_at at time zone i.time_zone)::date - s.days_before <= i.last_complete_date
),
told as materialized (
  select t.certification_id, t.stage, t.due_date, t.is_predecessor
  from input i, certvakt.notified_before t
  where t.organisation_id = i.organisation_id
),
due as materialized (
  select n.id, n.place, n.peer_mentor_id, n.expires_at, n.stage, n.days_before, n.selection,
    n.last_valid_day, n.last_valid_day - n.days_before as due_date,
    -- The expression of certvakt.notice_key: PostgreSQL does not inline functions with a fixed search_path, and a call
    -- per notice takes a tenth of the run. `verify` compares the two.
    encode(sha256(convert_to(
      n.id::text || '|' || n.stage || '|' || to_char((n.last_valid_day - n.days_before)::timestamp, 'YYYY-MM-DD'), 'UTF8')), 'hex')
      as idempotency_key,
    n.may_be_recorded
  from input i, in_stage n
  where not exists (
    select from told
    where told.certification_id = n.id and told.stage = n.stage
      and (told.is_predecessor or told.due_date <> n.last_valid_day - n.days_before)
      and n.last_valid_day - n.days_before - told.due_date < i.renotify_after_days
  )
  -- A notice of a later stage that is not selected any more stays the last one, unless a worker cancelled its delivery,
  -- which notified nobody. A stage that came due after the last complete run has no such notice.
  and (not n.may_be_recorded or i.unselected = '{}' or not exists (
    select from unnest(i.unselected, i.unselected_days) as later (stage, days_before)
    join public.cert_notification_log l on l.certification_id = n.id and l.notification_type = later.stage
    left join certvakt.deliveries d on d.id = l.id
    where later.days_before < n.days_before and d.cancelled_in is null
      and l.idempotency_key = certvakt.notice_key(n.id, later.stage, n.last_valid_day - later.days_before)
  ))
),
recorded_before as materialized (
  select l.id as notice_id
  from due join public.cert_notification_log l on l.idempotency_key = due.idempotency_key
  where due.may_be_recorded
),
fresh as materialized (
  select due.*, nextval('public.cert_notification_log_id_seq') as notice_id,
    i.contact_kinds is null or exists (
      select from certvakt.contact_points p
      where p.person_id = due.peer_mentor_id and p.kind = any (i.contact_kinds)
        and (p.organisation_id is null or p.organisation_id = i.organisation_id)
        and not exists (select from certvakt.channel_opt_outs o where o.person_id = p.person_id and o.kind = p.kind)
    ) as reachable,
    (select count(*) from stages earlier
     where earlier.days_before > due.days_before and earlier.selection = due.selection
       and (i.last_complete_date is null or due.last_valid_day - earlier.days_before > i.last_complete_date
         or (due.may_be_recorded and not exists (
           select from public.cert_notification_log l
           where l.certification_id = due.id and l.notification_type = earlier.stage
             and l.idempotency_key =
               certvakt.notice_key(due.id, earlier.stage, due.last_valid_day - earlier.days_before))))) as superseded
  from input i, due
  where not due.may_be_recorded
     or not exists (select from public.cert_notification_log l where l.idempotency_key = due.idempotency_key)
  -- In the physical order of the certifications: the foreign key and later the delivery read the certification of each
  -- notice, and so visit each page only once.
  order by due.place
),
gate as materialized (
  select i.is_recorded and (i.is_approved or (select count(*) from fresh) <= i.record_limit) as open from input i
),
noticed as (
  insert into public.cert_notification_log
    (id, certification_id, notification_type, sent_at, recipient_id, idempotency_key)
  overriding system value
  select f.notice_id, f.id, f.stage, clock_timestamp(), f.peer_mentor_id, f.idempotency_key
  from fresh f where (select open from gate)
  on conflict (idempotency_key) do nothing
  returning id
),
-- Excludes notices that another transaction inserted after our snapshot. `is true` prevents a nested loop, because the
-- planner cannot estimate the number of rows.
ours as materialized (
  select f.* from fresh f where (f.notice_id in (select id from noticed)) is true
),
handed_over as (
  insert into certvakt.deliveries
    (id, organisation_id, stage, due_date, expires_at, state, available_at, reason)
  select f.notice_id, i.organisation_id, f.stage, f.due_date, f.expires_at,
    case when f.reachable then 'pending' else 'unreachable' end,
    case when f.reachable then now() end,
    case when f.reachable then null else 'no contact point' end
  from input i, ours f
),
reopened as (
  update certvakt.deliveries d
  set state = 'pending', opened_at = now(), available_at = now(), finished_at = null, cancelled_in = null, reason = null
  from recorded_before r
  where d.id = r.notice_id and d.state = 'cancelled' and (select open from gate)
),
-- One condition selects a range of dates, the other the changed certifications before it. PostgreSQL checks the
-- conditions again for rows that were renewed while this statement waited for their lock.
lapsed as (
  update public.peer_mentor_certifications c
  set status = 'expired'
  from input i
  where c.organisation_id = i.organisation_id and c.status = 'active'
    and (i.date_parts = 1 or (get_byte(uuid_send(c.id), 15) + i.date_part) % i.date_parts < 1)
    and c.expires_at >= coalesce(i.lapsed_from, '-infinity') and c.expires_at < i.lapsed_before
    and (select open from gate)
),
lapsed_before as (
  update public.peer_mentor_certifications c
  set status = 'expired'
  from input i, changed
  where c.id = changed.certification_id and c.organisation_id = i.organisation_id and c.status = 'active'
    and c.expires_at < i.last_complete_date::timestamp at time zone i.time_zone
    and (select open from gate)
),
counted as (
  select c.stage, count(*) as notices, count(*) filter (where not c.reachable) as unreachable, sum(c.superseded) as superseded
  from (
    select stage, reachable, superseded from ours
    union all
    select stage, reachable, superseded from fresh where not (select open from gate)
  ) c
  group by c.stage
)
select
  coalesce(jsonb_object_agg(c.stage, c.notices), '{}') as "due!: Json<ByStage>",
  coalesce(sum(c.unreachable), 0)::bigint as "unreachable!",
  ((select count(*) from due) - coalesce(sum(c.notices), 0))::bigint as "already_recorded!",
  coalesce(sum(c.superseded), 0)::bigint as "superseded!",
  (select open from gate) as "open!",
  case when not (select open from gate)
    then array(select f.id from fresh f group by f.id order by min(f.expires_at), f.id limit 3) else '{}' end as "examples!"
from counted c
