-- Runs, the deliveries of the notices that they record, and imports of registers.

set local lock_timeout = '5s';
set local statement_timeout = '60s';

create table certvakt.runs (
  id bigint generated always as identity primary key,
  organisation_id uuid not null references certvakt.organisations (id) on delete cascade,
  run_date date not null,
  state text not null constraint runs_state_known check (state in ('complete', 'held', 'missed', 'failed')),
  expiry_warning_90d bigint not null default 0,
  expiry_warning_30d bigint not null default 0,
  expiry_warning_7d bigint not null default 0,
  expired bigint not null default 0,
  already_recorded bigint not null default 0,
  superseded bigint not null default 0,
  unreachable bigint not null default 0,
  record_limit bigint,
  approved boolean not null default false,
  covered_by date,
  reason text,
  started_at timestamptz not null default now(),
  finished_at timestamptz not null default clock_timestamp(),
  operator text default certvakt.operator(),
  constraint runs_covered_when_missed check ((state = 'missed') = (covered_by is not null)),
  constraint runs_reason_when_failed check ((state = 'failed') = (reason is not null))
);
comment on column certvakt.runs.expired is 'With the three before it: notices recorded; in a held run, that would have been.';
comment on column certvakt.runs.record_limit is
  'What the run might record without approval: of a held run exactly, of another as far as it was worked out.';
comment on column certvakt.runs.covered_by is 'Of a missed night: the date of the run that caught up.';
comment on column certvakt.runs.operator is 'Who ran the command that made it, as account@host; null: no command did.';
create index runs_organisation on certvakt.runs (organisation_id, run_date desc, id desc);
create index runs_retention on certvakt.runs (finished_at);

alter table certvakt.runs enable row level security;
alter table certvakt.runs force row level security;
revoke all on certvakt.runs from public, anon, authenticated, service_role;
grant select, insert, update, delete on certvakt.runs to certvakt_worker;
create policy worker_keeps on certvakt.runs to certvakt_worker using (true) with check (true);

create table certvakt.run_calendars (
  organisation_id uuid primary key references certvakt.organisations (id) on delete cascade,
  last_complete_date date,
  read_through pg_snapshot,
  read_on text,
  -- squawk-ignore prefer-bigint-over-smallint
  grace_days smallint,
  constraint run_calendars_whole check (num_nulls(last_complete_date, read_through, read_on, grace_days) in (0, 4))
);
comment on table certvakt.run_calendars is
  'One row an organisation, locked by each of its runs: how far the runs have come.';
comment on column certvakt.run_calendars.read_through is
  'A snapshot taken when the last complete run began: changes it did not see are read by the next.';
comment on column certvakt.run_calendars.read_on is
  'Which server and database the snapshot belongs to; after a restore elsewhere the next run reads everything.';
comment on column certvakt.run_calendars.grace_days is
  'For how long expired was current in that run; after a change of that setting the next run reads everything.';

alter table certvakt.run_calendars enable row level security;
alter table certvakt.run_calendars force row level security;
revoke all on certvakt.run_calendars from public, anon, authenticated, service_role;
grant select, insert, update, delete on certvakt.run_calendars to certvakt_worker;
create policy worker_keeps on certvakt.run_calendars to certvakt_worker using (true) with check (true);

create function certvakt.this_database() returns text
language sql stable parallel safe set search_path = ''
begin atomic
  select (select system_identifier from pg_control_system()) || '/'
      || (select oid from pg_database where datname = current_database());
end;
comment on function certvakt.this_database is
  'Which server and database this is. A snapshot means nothing elsewhere, so after a restore the next run reads everything.';
revoke all on function certvakt.this_database() from public, anon, authenticated, service_role;
grant execute on function certvakt.this_database() to certvakt_worker;

create table certvakt.deliveries (
  id bigint primary key references public.cert_notification_log (id) on delete cascade,
  organisation_id uuid not null,
  stage text not null constraint deliveries_stage_known check (
    stage in ('expiry_warning_90d', 'expiry_warning_30d', 'expiry_warning_7d', 'expired')),
  due_date date not null,
  expires_at timestamptz not null,
  state text not null constraint deliveries_state_known check (
    state in ('pending', 'claimed', 'delivered', 'unreachable', 'cancelled')),
  -- An attempt a second would take 68 years to fill it.
  -- squawk-ignore prefer-bigint-over-int
  attempt integer not null default 0,
  opened_at timestamptz not null default now(),
  available_at timestamptz default now(),
  lease_token uuid,
  lease_until timestamptz,
  reason text,
  refused uuid[] not null default '{}',
  created_at timestamptz not null default clock_timestamp(),
  finished_at timestamptz,
  cancelled_in xid8,
  constraint deliveries_leased_when_claimed check (
    (state = 'claimed') = (lease_token is not null) and (state = 'claimed') = (lease_until is not null)),
  constraint deliveries_available_while_open check (
    finished_at is not null or (state = 'unreachable') = (available_at is null)),
  constraint deliveries_finished_when_closed check (
    (state in ('delivered', 'cancelled')) = (finished_at is not null))
)
-- Room on each page for every row once more: what a claim writes needs no entry in an index then.
with (fillfactor = 45);
comment on table certvakt.deliveries is
  'The work of handing a notice to a person. pending -> claimed -> delivered, cancelled, unreachable or pending again.';
comment on column certvakt.deliveries.id is 'That of the notice: each is handed over once.';
comment on column certvakt.deliveries.expires_at is 'The date that the notice speaks of.';
comment on column certvakt.deliveries.opened_at is 'Since when it is to be delivered, however often it was tried: the queue''s age.';
comment on column certvakt.deliveries.available_at is 'From when on it may be claimed; null: nobody knows how to reach its recipient.';
comment on column certvakt.deliveries.attempt is 'How often it was tried, a claim under way included; guards its completion.';
comment on column certvakt.deliveries.cancelled_in is
  'The transaction of the worker that found it no longer true. It told nobody, so the next run looks at its certification again.';
comment on column certvakt.deliveries.refused is 'Contact points that refused this notice for good; another one makes it due again.';

-- The queue, in its order, and at its end who cannot be reached. A claim changes nothing that an index
-- knows.
create index deliveries_open on certvakt.deliveries (available_at, id) where finished_at is null;
create index deliveries_cancelled on certvakt.deliveries (organisation_id, cancelled_in) where cancelled_in is not null;

alter table certvakt.deliveries enable row level security;
alter table certvakt.deliveries force row level security;
revoke all on certvakt.deliveries from public, anon, authenticated, service_role;
grant select, insert, update, delete on certvakt.deliveries to certvakt_worker;
create policy worker_keeps on certvakt.deliveries to certvakt_worker using (true) with check (true);
-- The registrar ends what is under way for a person who is erased.
grant select (id, finished_at), update (state, reason, finished_at, available_at, lease_token, lease_until)
  on certvakt.deliveries to certvakt_registrar;
create policy registrar_ends on certvakt.deliveries to certvakt_registrar using (true) with check (state = 'cancelled');
grant select on certvakt.deliveries to certvakt_definer;
create policy definer_reads on certvakt.deliveries for select to certvakt_definer using (true);

create table certvakt.delivery_attempts (
  delivery_id bigint not null,
  -- squawk-ignore prefer-bigint-over-int
  attempt integer not null,
  -- squawk-ignore prefer-bigint-over-smallint
  message smallint not null default 1,
  channel text,
  outcome text not null constraint delivery_attempts_outcome_known check (
    outcome in ('delivered', 'retry', 'given_up', 'stopped', 'lease_lost')),
  detail text,
  finished_at timestamptz not null default now(),
  primary key (delivery_id, attempt, message)
);
comment on column certvakt.delivery_attempts.delivery_id is 'Leaves with its delivery: see the trigger delete_attempts.';
comment on column certvakt.delivery_attempts.message is 'An attempt may send to several contact points: 1, 2, ….';
comment on column certvakt.delivery_attempts.channel is 'Null when the attempt ended before a channel was asked.';
comment on column certvakt.delivery_attempts.detail is 'The provider''s code or message id; never an address or a name.';

alter table certvakt.delivery_attempts enable row level security;
alter table certvakt.delivery_attempts force row level security;
revoke all on certvakt.delivery_attempts from public, anon, authenticated, service_role;
grant select, insert, update, delete on certvakt.delivery_attempts to certvakt_worker;
create policy worker_keeps on certvakt.delivery_attempts to certvakt_worker using (true) with check (true);
grant select (delivery_id), delete on certvakt.delivery_attempts to certvakt_definer;
create policy definer_deletes on certvakt.delivery_attempts to certvakt_definer using (true) with check (false);

-- In place of a foreign key (docs/adr/0005-attempts-without-a-foreign-key.md): only a worker adds attempts,
-- in the statement that has just changed and so locked the delivery.
create function certvakt.delete_attempts() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  delete from certvakt.delivery_attempts a using old_rows o where a.delivery_id = o.id;
  return null;
end
$$;
create trigger delete_attempts after delete on certvakt.deliveries
  referencing old table as old_rows for each statement execute function certvakt.delete_attempts();
revoke all on function certvakt.delete_attempts() from public, anon, authenticated, service_role;
alter function certvakt.delete_attempts() owner to certvakt_definer;

-- A correction keeps the cycle: what its mentor was told in it before the date was corrected.
create view certvakt.told_before_correction with (security_invoker = true) as
select cycle.organisation_id, cycle.certification_id, d.stage, d.due_date
from (
  select k.organisation_id, k.certification_id, max(o.changed_at) as cycle_began
  from (
    select distinct c.organisation_id, c.certification_id from certvakt.certification_changes c where c.kind = 'corrected'
  ) k
  join certvakt.certification_changes o
    on o.organisation_id = k.organisation_id and o.certification_id = k.certification_id
    and o.kind in ('recorded', 'renewed')
  group by k.organisation_id, k.certification_id
) cycle
join public.cert_notification_log l on l.certification_id = cycle.certification_id
join certvakt.deliveries d
  on d.id = l.id and d.created_at >= cycle.cycle_began and d.state in ('claimed', 'delivered');
comment on view certvakt.told_before_correction is
  'The stages told in the present cycle of every certification that was ever corrected. Only a notice that was handed over told somebody.';
revoke all on certvakt.told_before_correction from public, anon, authenticated, service_role;
grant select on certvakt.told_before_correction to certvakt_worker, certvakt_definer;

create table certvakt.channel_stops (
  channel text not null,
  reason text not null,
  stopped_at timestamptz not null default now(),
  organisation_id uuid references certvakt.organisations (id) on delete cascade,
  id bigint generated always as identity primary key
);
comment on table certvakt.channel_stops is
  'Channels whose provider refuses us; their queue is kept until a delivery through them succeeds.';
comment on column certvakt.channel_stops.organisation_id is
  'Whose messages are refused; null: those of all, because the provider refuses the sender.';
create unique index channel_stops_once on certvakt.channel_stops (channel, organisation_id) nulls not distinct;
create index channel_stops_organisation on certvakt.channel_stops (organisation_id);

alter table certvakt.channel_stops enable row level security;
alter table certvakt.channel_stops force row level security;
revoke all on certvakt.channel_stops from public, anon, authenticated, service_role;
grant select, insert, update, delete on certvakt.channel_stops to certvakt_worker;
create policy worker_keeps on certvakt.channel_stops to certvakt_worker using (true) with check (true);

create table certvakt.imports (
  id bigint generated always as identity primary key,
  organisation_id uuid not null references certvakt.organisations (id) on delete cascade,
  chapter_id uuid not null,
  certification_type text not null,
  read bigint not null,
  added bigint not null,
  updated bigint not null,
  unchanged bigint not null,
  rejected bigint not null,
  renewed bigint not null,
  corrected bigint not null,
  started_at timestamptz not null default now(),
  finished_at timestamptz not null default clock_timestamp(),
  operator text default certvakt.operator(),
  -- A wrong contact costs the contact, not its row.
  contacts_rejected bigint not null default 0
    constraint imports_contacts_rejected_check check (contacts_rejected >= 0),
  constraint imports_every_row_accounted_for check (read = added + updated + unchanged + rejected),
  constraint imports_chapter_inside_organisation
    foreign key (organisation_id, chapter_id) references certvakt.chapters (organisation_id, id) on delete cascade
);
comment on column certvakt.imports.operator is 'Who ran the command that made it, as account@host; null: no command did.';
create index imports_chapter on certvakt.imports (organisation_id, chapter_id);
create index imports_retention on certvakt.imports (finished_at);

alter table certvakt.imports enable row level security;
alter table certvakt.imports force row level security;
revoke all on certvakt.imports from public, anon, authenticated, service_role;
grant select, delete on certvakt.imports to certvakt_worker;
create policy worker_keeps on certvakt.imports to certvakt_worker using (true) with check (true);
grant select, insert on certvakt.imports to certvakt_registrar;
create policy registrar_records on certvakt.imports to certvakt_registrar using (true) with check (true);
