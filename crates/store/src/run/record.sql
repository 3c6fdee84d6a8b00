-- Finds the due certifications, and records notices, deliveries and the status `expired`, unless the notices exceed the
-- limit. A single statement, and therefore a single snapshot.
--
-- $1 organisation     $2 its time zone      $4 last complete run date, or null
-- $3 and $21 from and before: the expiries that lapsed since then, or null for no lower bound
-- $5 names of the stages, $6 their days before the last valid day
-- $7..$8 per stage, from and before: the expiries that came due since the last complete run
-- $9..$10 per stage, from and before: all expiries in the stage
-- $11 snapshot of the last complete run, or null to read everything
-- $12 the number of days by which a corrected due date must move before a stage is notified again
-- $13 kinds of contact point that the channels need, or null if they reach everyone
-- $14 whether to record anything   $15 whether the limit is waived
-- $16 the limit
-- $17 and $18 the part, and the number of parts, of the certifications to read by date; $19 and $20 the same by change.
-- The last bits of an id (version 4 or 7) are random. The condition is written as `< 1` because the planner estimates
-- a third of the rows for an inequality, and hardly any for an equality.
with stages as (
  select * from unnest($5::text[], $6::int[], $7::timestamptz[], $8::timestamptz[], $9::timestamptz[], $10::timestamptz[])
    as s(stage, days_before, came_due_from, came_due_before, current_from, current_before)
),
-- A transaction id above this server's range is from another server, before a restore. It is ignored, because the first
-- run here read everything.
changed as (
  select either.certification_id
  from (
    select k.certification_id
    from certvakt.certification_changes k
    where k.organisation_id = $1
      and k.changed_in >= pg_snapshot_xmin($11::text::pg_snapshot)
      and k.changed_in < pg_snapshot_xmax(pg_current_snapshot())
      and not pg_visible_in_snapshot(k.changed_in, $11::text::pg_snapshot)
    union
    select l.certification_id
    from certvakt.deliveries d
    join public.cert_notification_log l on l.id = d.id
    where d.organisation_id = $1
      and d.cancelled_in >= pg_snapshot_xmin($11::text::pg_snapshot)
      and d.cancelled_in < pg_snapshot_xmax(pg_current_snapshot())
      and not pg_visible_in_snapshot(d.cancelled_in, $11::text::pg_snapshot)
  ) either
  where $20::int = 1 or (get_byte(uuid_send(either.certification_id), 15) + $19) % $20 < 1
),
-- The first part selects due dates after the last complete run, the second part earlier ones, so the parts are
-- disjoint. The ranges are repeated as constants, because the planner estimates the number of rows only from constants.
in_stage as (
  select c.id, c.ctid as place, c.peer_mentor_id, c.expires_at, s.stage, s.days_before,
    (c.expires_at at time zone $2)::date as last_valid_day, $11::text is null as may_be_recorded
  from public.peer_mentor_certifications c
  join stages s on c.expires_at >= s.came_due_from and c.expires_at < s.came_due_before
  where c.organisation_id = $1 and c.status <> 'suspended'
    and ($18::int = 1 or (get_byte(uuid_send(c.id), 15) + $17) % $18 < 1) and (
       c.expires_at >= ($7::timestamptz[])[1] and c.expires_at < ($8::timestamptz[])[1]
    or c.expires_at >= ($7::timestamptz[])[2] and c.expires_at < ($8::timestamptz[])[2]
    or c.expires_at >= ($7::timestamptz[])[3] and c.expires_at < ($8::timestamptz[])[3]
    or c.expires_at >= ($7::timestamptz[])[4] and c.expires_at < ($8::timestamptz[])[4])
  union all
  select c.id, c.ctid as place, c.peer_mentor_id, c.expires_at, s.stage, s.days_before,
    (c.expires_at at time zone $2)::date, true
  from changed
  join public.peer_mentor_certifications c
    on c.id = changed.certification_id and c.organisation_id = $1 and c.status <> 'suspended'
  join stages s on c.expires_at >= s.current_from and c.expires_at < s.current_before
  where (c.expires_at at time zone $2)::date - s.days_before <= $4
),
told as materialized (
  select certification_id, stage, due_date from certvakt.told_before_correction where organisation_id = $1
),
due as materialized (
  select i.id, i.place, i.peer_mentor_id, i.expires_at, i.stage, i.days_before, i.last_valid_day,
    i.last_valid_day - i.days_before as due_date,
    -- The expression of certvakt.notice_key: PostgreSQL does not inline functions with a fixed search_path, and a call
    -- per notice takes a tenth of the run. `verify` compares the two.
    encode(sha256(convert_to(
      i.id::text || '|' || i.stage || '|' || to_char((i.last_valid_day - i.days_before)::timestamp, 'YYYY-MM-DD'), 'UTF8')), 'hex')
      as idempotency_key,
    i.may_be_recorded
  from in_stage i
  where not exists (
    select from told
    where told.certification_id = i.id and told.stage = i.stage
      and told.due_date <> i.last_valid_day - i.days_before
      and i.last_valid_day - i.days_before - told.due_date < $12
  )
),
recorded_before as materialized (
  select l.id as notice_id
  from due join public.cert_notification_log l on l.idempotency_key = due.idempotency_key
  where due.may_be_recorded
),
fresh as materialized (
  select due.*, nextval('public.cert_notification_log_id_seq') as notice_id,
    $13::text[] is null or exists (
      select from certvakt.contact_points p
      where p.person_id = due.peer_mentor_id and p.kind = any ($13) and (p.organisation_id is null or p.organisation_id = $1)
        and not exists (select from certvakt.channel_opt_outs o where o.person_id = p.person_id and o.kind = p.kind)
    ) as reachable,
    (select count(*) from stages earlier
     where earlier.days_before > due.days_before
       and ($4::date is null or due.last_valid_day - earlier.days_before > $4
         or (due.may_be_recorded and not exists (
           select from public.cert_notification_log l
           where l.certification_id = due.id and l.notification_type = earlier.stage
             and l.idempotency_key =
               certvakt.notice_key(due.id, earlier.stage, due.last_valid_day - earlier.days_before))))) as superseded
  from due
  where not due.may_be_recorded
     or not exists (select from public.cert_notification_log l where l.idempotency_key = due.idempotency_key)
  -- In the physical order of the certifications: the foreign key and later the delivery read the certification of each
  -- notice, and so visit each page only once.
  order by due.place
),
gate as materialized (
  select $14::boolean and ($15::boolean or (select count(*) from fresh) <= $16::bigint) as open
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
  select f.notice_id, $1, f.stage, f.due_date, f.expires_at,
    case when f.reachable then 'pending' else 'unreachable' end,
    case when f.reachable then now() end,
    case when f.reachable then null else 'no contact point' end
  from ours f
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
  where c.organisation_id = $1 and c.status = 'active'
    and ($18 = 1 or (get_byte(uuid_send(c.id), 15) + $17) % $18 < 1)
    and c.expires_at >= coalesce($3::timestamptz, '-infinity') and c.expires_at < $21::timestamptz
    and (select open from gate)
),
lapsed_before as (
  update public.peer_mentor_certifications c
  set status = 'expired'
  from changed
  where c.id = changed.certification_id and c.organisation_id = $1 and c.status = 'active'
    and c.expires_at < $4::date::timestamp at time zone $2
    and (select open from gate)
),
counted as (
  select * from ours
  union all
  select * from fresh where not (select open from gate)
)
select
  count(*) filter (where c.stage = 'expiry_warning_90d') as "expiry_warning_90d!",
  count(*) filter (where c.stage = 'expiry_warning_30d') as "expiry_warning_30d!",
  count(*) filter (where c.stage = 'expiry_warning_7d') as "expiry_warning_7d!",
  count(*) filter (where c.stage = 'expired') as "expired!",
  count(*) filter (where not c.reachable) as "unreachable!",
  (select count(*) from due) - count(*) as "already_recorded!",
  coalesce(sum(c.superseded), 0)::bigint as "superseded!",
  (select open from gate) as "open!"
from counted c
