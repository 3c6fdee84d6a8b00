-- Digests: the e-mails that tell coordinators what needs them, by the definition of the page Today.

set local lock_timeout = '5s';
set local statement_timeout = '60s';

create table certvakt.digest_settings (
  person_id uuid primary key references certvakt.people (id) on delete cascade,
  schedule text not null default 'weekly' constraint digest_settings_schedule_known check (schedule in ('off', 'daily', 'weekly')),
  -- squawk-ignore prefer-bigint-over-smallint
  weekday smallint not null default 1 constraint digest_settings_weekday_range check (weekday between 1 and 7),
  unsubscribe uuid not null default gen_random_uuid() constraint digest_settings_unsubscribe_unique unique
);
comment on table certvakt.digest_settings is 'When each coordinator gets their digest. Without a row: weekly, on Mondays.';
comment on column certvakt.digest_settings.weekday is 'The day of a weekly digest, from 1 (Monday) to 7.';
comment on column certvakt.digest_settings.unsubscribe is
  'The token in the links that turn the digest off. It is not hashed, because every digest carries it and it allows nothing else.';

alter table certvakt.digest_settings enable row level security;
alter table certvakt.digest_settings force row level security;
revoke all on certvakt.digest_settings from public, anon, authenticated, service_role;
grant select, insert (person_id) on certvakt.digest_settings to certvakt_worker;
create policy worker_reads on certvakt.digest_settings for select to certvakt_worker using (true);
create policy worker_adds on certvakt.digest_settings for insert to certvakt_worker with check (true);
grant select (unsubscribe), update (schedule) on certvakt.digest_settings to certvakt_auth;
create policy auth_reads on certvakt.digest_settings for select to certvakt_auth using (true);
create policy auth_turns_off on certvakt.digest_settings for update to certvakt_auth using (true) with check (schedule = 'off');
grant select (person_id), delete on certvakt.digest_settings to certvakt_registrar;
create policy registrar_erases on certvakt.digest_settings to certvakt_registrar using (true) with check (false);
grant select (person_id, schedule, weekday), insert (person_id, schedule, weekday), update (schedule, weekday)
  on certvakt.digest_settings to authenticated;
create policy people_set_own on certvakt.digest_settings to authenticated
  using (person_id = (select certvakt.current_person())) with check (person_id = (select certvakt.current_person()));

create table certvakt.digest_days (
  organisation_id uuid primary key references certvakt.organisations (id) on delete cascade,
  last_on date not null,
  queued_at timestamptz not null default now()
);
comment on table certvakt.digest_days is
  'The last day on which each organisation''s digests were queued. Later changes are news for the next ones.';
alter table certvakt.digest_days enable row level security;
alter table certvakt.digest_days force row level security;
revoke all on certvakt.digest_days from public, anon, authenticated, service_role;
grant select, insert, update on certvakt.digest_days to certvakt_worker;
create policy worker_manages on certvakt.digest_days to certvakt_worker using (true) with check (true);

create table certvakt.digests (
  id uuid not null default certvakt.uuid_v7() constraint digests_id_unique unique,
  organisation_id uuid not null references certvakt.organisations (id) on delete cascade,
  person_id uuid not null references certvakt.people (id) on delete cascade,
  kind text not null constraint digests_kind_known check (kind in ('daily', 'weekly', 'urgent')),
  on_date date not null,
  mailed_at timestamptz,
  primary key (person_id, organisation_id, kind, on_date)
);
comment on table certvakt.digests is 'The digests of each coordinator, recorded once, for 400 days. mail_queue holds the e-mail, under the same id.';
comment on column certvakt.digests.kind is
  'Why it was due: daily and weekly by the coordinator''s schedule; urgent between weekly ones, because a certification expired or its mentor became unreachable.';
create index digests_organisation on certvakt.digests (organisation_id, on_date);

alter table certvakt.digests enable row level security;
alter table certvakt.digests force row level security;
revoke all on certvakt.digests from public, anon, authenticated, service_role;
grant select, insert (organisation_id, person_id, kind, on_date) on certvakt.digests to certvakt_worker;
create policy worker_reads on certvakt.digests for select to certvakt_worker using (true);
create policy worker_records on certvakt.digests for insert to certvakt_worker with check (true);
grant select (id, on_date), update (mailed_at), delete on certvakt.digests to certvakt_auth;
create policy auth_manages on certvakt.digests to certvakt_auth using (true) with check (true);
grant select (person_id), delete on certvakt.digests to certvakt_registrar;
create policy registrar_erases on certvakt.digests to certvakt_registrar using (true) with check (false);

create function certvakt.digest_recipients(organisations uuid[])
returns table (organisation_id uuid, chapter_id uuid, person_id uuid, contact_point_id uuid)
language sql stable set search_path = ''
begin atomic
  with recursive managing as (
    select distinct on (m.organisation_id, m.chapter_id, m.person_id, m.role)
      m.organisation_id, m.chapter_id, m.person_id, m.role, k.id as contact_point_id
    from certvakt.memberships m
    join certvakt.contact_points k on k.person_id = m.person_id and k.kind = 'email'
      and (k.organisation_id is null or k.organisation_id = m.organisation_id)
    where m.organisation_id = any (digest_recipients.organisations) and m.role in ('coordinator', 'org_admin')
      and not exists (select from certvakt.channel_opt_outs x where x.person_id = m.person_id and x.kind = 'email')
      and not exists (
        select from certvakt.access_closures x
        where x.opened_at is null and (x.organisation_id is null or x.organisation_id = m.organisation_id))
    order by m.organisation_id, m.chapter_id, m.person_id, m.role, k.organisation_id nulls first, k.id
  ),
  coordinated as (
    select g.organisation_id, g.chapter_id, g.person_id, g.contact_point_id from managing g where g.role = 'coordinator'
    union
    select c.organisation_id, c.id, above.person_id, above.contact_point_id
    from certvakt.chapters c
    join coordinated above on above.organisation_id = c.organisation_id and above.chapter_id = c.parent_id
  )
  select k.organisation_id, k.chapter_id, k.person_id, k.contact_point_id from coordinated k
  union
  select c.organisation_id, c.id, a.person_id, a.contact_point_id
  from certvakt.chapters c
  join managing a on a.organisation_id = c.organisation_id and a.role = 'org_admin'
  where not exists (select from coordinated k where k.chapter_id = c.id);
end;
comment on function certvakt.digest_recipients is
  'Returns who gets a digest about each chapter, with a mail address: the coordinators of the chapter and of every chapter above it, and the administrators if none of them has an address. Nobody who declined e-mail, and nobody while access is closed.';

-- The rules are those of crates/engine/src/attention.rs: a test compares the two.
create function certvakt.digest_items(organisations uuid[], todays date[], chapters uuid[])
returns table (
  organisation_id uuid, certification_id uuid, chapter_id uuid, mentor_id uuid, certification_type text, last_valid_day date,
  reason integer, began_on date, changed_at timestamptz)
language sql stable set search_path = ''
begin atomic
  with days as (
    select o.id as organisation_id, d.today, o.time_zone, o.lead_times,
      (d.today - o.expired_grace_days)::timestamp at time zone o.time_zone as first,
      (d.today + 31)::timestamp at time zone o.time_zone as after_month
    from unnest(organisations, todays) as d (organisation_id, today)
    join certvakt.organisations o on o.id = d.organisation_id
  ),
  unreachable as materialized (
    select l.certification_id, max(greatest(l.sent_at, (
      select max(a.finished_at) from certvakt.delivery_attempts a where a.delivery_id = v.id))) as since
    from certvakt.deliveries v
    join public.cert_notification_log l on l.id = v.id
    where v.finished_at is null and v.available_at is null and v.organisation_id = any (digest_items.organisations)
    group by l.certification_id
  ),
  -- The planner cannot estimate how few rows the days from `first` to `after_month` have. `offset 0` keeps the conditions
  -- together, so that it uses an index instead of reading the whole table.
  found as (
    select c.*
    from days d
    cross join lateral (
      select c.id, c.organisation_id, c.chapter_id, c.peer_mentor_id, c.certification_type, c.expires_at, c.updated_at
      from public.peer_mentor_certifications c
      where c.organisation_id = d.organisation_id and c.status <> 'suspended' and c.expires_at >= d.first and c.expires_at < d.after_month
      offset 0
    ) c
    where digest_items.chapters is null
    union all
    -- The expression is that of the index of chapters.
    select c.*
    from days d
    join certvakt.chapters h on h.organisation_id = d.organisation_id and h.id = any (digest_items.chapters)
    cross join lateral (
      select c.id, c.organisation_id, c.chapter_id, c.peer_mentor_id, c.certification_type, c.expires_at, c.updated_at
      from public.peer_mentor_certifications c
      where c.chapter_id = h.id and c.status <> 'suspended'
        and (case when c.expires_at is null then 'infinity' else c.expires_at end) >= d.first
        and (case when c.expires_at is null then 'infinity' else c.expires_at end) < d.after_month
      offset 0
    ) c
    union all
    select c.id, c.organisation_id, c.chapter_id, c.peer_mentor_id, c.certification_type, c.expires_at, c.updated_at
    from unreachable u
    join public.peer_mentor_certifications c on c.id = u.certification_id and c.status <> 'suspended'
    join days d on d.organisation_id = c.organisation_id and c.expires_at >= d.after_month
    where digest_items.chapters is null or c.chapter_id = any (digest_items.chapters)
  )
  select c.organisation_id, c.id, c.chapter_id, c.peer_mentor_id, c.certification_type, e.last_valid_day, r.reason,
    greatest(r.began_on, case when k.expires_at = c.expires_at then k.next_on end),
    greatest(c.updated_at, case when r.reason = 2 then u.since end)
  from found c
  join days d on d.organisation_id = c.organisation_id
  left join unreachable u on u.certification_id = c.id
  -- `offset 0` again: each value is computed once.
  cross join lateral (select (c.expires_at at time zone d.time_zone)::date as last_valid_day offset 0) e
  cross join lateral (
    select case
        when e.last_valid_day < d.today then 1
        when u.certification_id is not null
          and e.last_valid_day - (
            select max(days_before) from certvakt.certification_types t, unnest(coalesce(t.lead_times, d.lead_times)) days_before
            where t.organisation_id = c.organisation_id and t.code = c.certification_type) <= d.today then 2
        when e.last_valid_day <= d.today + 7 then 3
        when e.last_valid_day <= d.today + 30 then 4
      end as reason
    offset 0
  ) q
  cross join lateral (
    select q.reason,
      case q.reason when 1 then e.last_valid_day + 1 when 3 then e.last_valid_day - 7 when 4 then e.last_valid_day - 30 end as began_on
  ) r
  left join lateral (
    select x.expires_at, x.next_on from certvakt.contacts x where x.certification_id = c.id
    order by x.made_at desc, x.id desc limit 1
  ) k on true
  where r.reason is not null
    and (k.expires_at is distinct from c.expires_at or k.next_on <= d.today);
end;
comment on function certvakt.digest_items is
  'Returns the certifications that need somebody on a day in each organisation, or will within a month; of all chapters if `chapters` is null. reason: 1 expired, 2 unreachable, 3 within seven days, 4 within thirty. began_on and changed_at show whether it is news.';

revoke all on function certvakt.digest_recipients(uuid[]), certvakt.digest_items(uuid[], date[], uuid[])
  from public, anon, authenticated, service_role;
grant execute on function certvakt.digest_recipients(uuid[]), certvakt.digest_items(uuid[], date[], uuid[]) to certvakt_worker;
