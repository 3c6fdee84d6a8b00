-- $1 organisation   $2 its time zone   $3 names and $4 days of the stages
-- $5..$6 per stage, from and before: the expiries in the stage on the date of the last complete run
-- $7 the number of days by which a corrected due date must move before a stage is notified again
-- $8 snapshot of that run, or null if it is from another server
-- $9..$10 per stage, the types that have it (certvakt.run_input)
with last_run as (
  select max(finished_at) as finished_at from certvakt.runs where organisation_id = $1 and state = 'complete'
),
told as materialized (
  select certification_id, stage, due_date from certvakt.notified_before where organisation_id = $1
),
in_stage as (
  select c.id, s.stage, s.days_before, (c.expires_at at time zone $2)::date - s.days_before as due_date
  from unnest($3::text[], $4::int[], $5::timestamptz[], $6::timestamptz[], $9::text[], $10::int[])
    as s(stage, days_before, current_from, current_before, types, selection)
  join public.peer_mentor_certifications c
    on c.organisation_id = $1 and c.status <> 'suspended'
    and c.expires_at >= s.current_from and c.expires_at < s.current_before
    and (c.certification_type = any (string_to_array(s.types, ','))) = (s.selection > 0)
),
findings as (
  select
    case
      when exists (
        select from certvakt.certification_changes k
        where k.organisation_id = $1 and k.certification_id = i.id
          and case when $8::text is null then k.changed_at > (select finished_at from last_run)
            else k.changed_in < pg_snapshot_xmax(pg_current_snapshot())
              and not pg_visible_in_snapshot(k.changed_in, $8::text::pg_snapshot) end)
        or exists (
          select from public.cert_notification_log l
          join certvakt.deliveries d on d.id = l.id
          where l.certification_id = i.id and d.cancelled_in is not null
            and case when $8::text is null then d.finished_at > (select finished_at from last_run)
              else d.cancelled_in < pg_snapshot_xmax(pg_current_snapshot())
                and not pg_visible_in_snapshot(d.cancelled_in, $8::text::pg_snapshot) end)
        then 'changed since the run'
      when exists (
        select from told where told.certification_id = i.id and told.stage = i.stage
          and i.due_date - told.due_date < $7)
        then 'told before a correction'
      when exists (
        select from certvakt.stages later
        join public.cert_notification_log l on l.certification_id = i.id and l.notification_type = later.name
        left join certvakt.deliveries d on d.id = l.id
        where later.days_before < i.days_before and d.cancelled_in is null
          and l.idempotency_key = certvakt.notice_key(i.id, later.name, i.due_date + i.days_before - later.days_before))
        then 'told of a later stage before it was deselected'
      when i.due_date < (select log_deleted_before::date from certvakt.installation) then 'so long ago that retention may have deleted it'
      else 'missing'
    end as finding,
    i.id as certification_id, i.stage, i.due_date
  from in_stage i
  where not exists (
    select from public.cert_notification_log l
    where l.idempotency_key = certvakt.notice_key(i.id, i.stage, i.due_date))
  union all
  select
    case when d.id is null then 'recorded by another job, for a date that is not known any more' else 'wrong key' end,
    l.certification_id, l.notification_type, d.due_date
  from public.cert_notification_log l
  join public.peer_mentor_certifications c on c.id = l.certification_id and c.organisation_id = $1
  left join certvakt.deliveries d on d.id = l.id
  where case
    when d.id is not null then
      l.idempotency_key <> certvakt.notice_key(l.certification_id, l.notification_type, d.due_date)
      or d.stage <> l.notification_type
      or d.due_date <> (d.expires_at at time zone $2)::date
        - coalesce(substring(d.stage from '^expiry_warning_(\d+)d$')::int, -1)
    else not exists (
      select from unnest($3::text[], $4::int[]) as s(stage, days_before)
      where s.stage = l.notification_type
        and l.idempotency_key =
          certvakt.notice_key(c.id, s.stage, (c.expires_at at time zone $2)::date - s.days_before))
  end
),
numbered as (
  select *, count(*) over (partition by finding) as of_kind,
    row_number() over (partition by finding order by certification_id) as number
  from findings
)
select finding as "finding!", certification_id as "certification_id!", stage as "stage!", due_date, of_kind as "of_kind!"
from numbered
where number <= 100
order by finding, certification_id
