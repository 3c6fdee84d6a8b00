-- Runs, deliveries and imports.

set local lock_timeout = '5s';
set local statement_timeout = '60s';

create table certvakt.runs (
  id bigint generated always as identity primary key,
  organisation_id uuid not null references certvakt.organisations (id) on delete cascade,
  run_date date not null,
  state text not null constraint runs_state_known check (state in ('complete', 'held', 'missed', 'failed')),
  notices jsonb not null default '{}' constraint runs_notices_form check (jsonb_typeof(notices) = 'object'),
  already_recorded bigint not null default 0,
  superseded bigint not null default 0,
  unreachable bigint not null default 0,
  record_limit bigint,
  examples uuid[] not null default '{}',
  approved boolean not null default false,
  covered_by date,
  reason text,
  started_at timestamptz not null default now(),
  finished_at timestamptz not null default clock_timestamp(),
  operator text default certvakt.operator(),
  decided_at timestamptz,
  decided_by uuid references certvakt.people (id) on delete set null,
  approved_notices bigint,
  constraint runs_covered_when_missed check ((state = 'missed') = (covered_by is not null)),
  constraint runs_reason_when_failed check ((state = 'failed') = (reason is not null)),
  constraint runs_approved_notices_when_decided check ((decided_at is null) = (approved_notices is null))
);
comment on column certvakt.runs.notices is
  'The numbers of recorded notices by stage. In a held run: the notices that it would have recorded.';
comment on column certvakt.runs.record_limit is
  'How many notices the run could record without approval. Exact for a held run; otherwise a lower bound that was enough.';
comment on column certvakt.runs.examples is 'For a held run: the first certifications with a notice, at most three.';
comment on column certvakt.runs.covered_by is 'The date of the run that covered a missed night.';
comment on column certvakt.runs.operator is 'Who ran the command that made the row, as account@host. Null: no command made it.';
comment on column certvakt.runs.decided_at is
  'For a held run: when an administrator approved it on a page, or asked for another check. The scheduler then runs the date again.';
comment on column certvakt.runs.approved_notices is
  'How many notices the administrator approved. 0: none; the run is checked again, within its limit.';
create index runs_decided_by on certvakt.runs (decided_by);
create index runs_organisation on certvakt.runs (organisation_id, run_date desc, id desc);
create index runs_latest on certvakt.runs (organisation_id, id);
create index runs_retention on certvakt.runs (finished_at);

alter table certvakt.runs enable row level security;
alter table certvakt.runs force row level security;
revoke all on certvakt.runs from public, anon, authenticated, service_role;
grant select, insert, update, delete on certvakt.runs to certvakt_worker;
create policy worker_manages on certvakt.runs to certvakt_worker using (true) with check (true);

-- The input of the statement that records a run (crates/store/src/run/record.sql). It has names, and as a parameter its
-- fields are constants for the planner. Each part of a run reads the certifications whose id modulo the number of parts
-- is the part's.
create type certvakt.run_input as (
  organisation_id uuid,
  time_zone text,
  -- The last complete run and its snapshot. Without a snapshot, the run reads everything.
  last_complete_date date,
  read_through text,
  -- The stages and their days before the last valid day; then, per stage, the expiries that came due since the last
  -- complete run, and all expiries in the stage; and the selection that the stage is in, and its types: codes with commas
  -- between them. Selection 0 is the organisation's own, of all types except these.
  stages text[],
  days_before integer[],
  came_due_from timestamptz[],
  came_due_before timestamptz[],
  current_from timestamptz[],
  current_before timestamptz[],
  types text[],
  selections integer[],
  -- The expiries of any type that came due, as ranges that do not overlap.
  read_from timestamptz[],
  read_before timestamptz[],
  -- The declared stages that the organisation or one of its types did not select, and their days before the last valid
  -- day.
  unselected text[],
  unselected_days integer[],
  -- The expiries that lapsed since the last complete run. Null: no lower bound.
  lapsed_from timestamptz,
  lapsed_before timestamptz,
  -- The number of days by which a corrected due date must move before a stage is notified again.
  renotify_after_days integer,
  -- The kinds of contact point that the channels need. Null: the channels reach everyone.
  contact_kinds text[],
  is_recorded boolean,
  -- Approved runs may exceed the limit.
  is_approved boolean,
  record_limit bigint,
  -- The part, and the number of parts, of the certifications read by date and by change.
  date_part integer,
  date_parts integer,
  change_part integer,
  change_parts integer
);

create table certvakt.run_calendars (
  organisation_id uuid primary key references certvakt.organisations (id) on delete cascade,
  last_complete_date date,
  read_through pg_snapshot,
  read_on text,
  -- squawk-ignore prefer-bigint-over-smallint
  grace_days smallint,
  -- squawk-ignore prefer-bigint-over-int
  lead_times integer[],
  lead_times_of_types jsonb,
  constraint run_calendars_whole check (
    num_nulls(last_complete_date, read_through, read_on, grace_days, lead_times, lead_times_of_types) in (0, 6))
);
comment on table certvakt.run_calendars is
  'The progress of the runs of each organisation. Each run locks the organisation''s row.';
comment on column certvakt.run_calendars.read_through is
  'The snapshot of the last complete run. The next run reads the changes that this snapshot does not show.';
comment on column certvakt.run_calendars.read_on is
  'The server and database of the snapshot. After a restore to another one, the next run reads everything.';
comment on column certvakt.run_calendars.grace_days is
  'The organisation''s expired_grace_days in that run. After a change of that setting, the next run reads everything.';

comment on column certvakt.run_calendars.lead_times is
  'The organisation''s lead times in that run, the longest first. After a change, the next run reads everything.';
comment on column certvakt.run_calendars.lead_times_of_types is
  'The lead times of the types that selected other ones, by code. After a change, the next run reads everything.';

alter table certvakt.run_calendars enable row level security;
alter table certvakt.run_calendars force row level security;
revoke all on certvakt.run_calendars from public, anon, authenticated, service_role;
grant select, insert, update, delete on certvakt.run_calendars to certvakt_worker;
create policy worker_manages on certvakt.run_calendars to certvakt_worker using (true) with check (true);

create function certvakt.this_database() returns text
language sql stable parallel safe set search_path = ''
begin atomic
  select (select system_identifier from pg_control_system()) || '/'
      || (select oid from pg_database where datname = current_database());
end;
comment on function certvakt.this_database is
  'Returns an identifier of this server and database. A snapshot is valid only there.';
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
  -- One attempt each second would overflow it after 68 years.
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
-- The free space keeps a second version of every row on its page, so a claim writes no index entry.
with (fillfactor = 45);
comment on table certvakt.deliveries is
  'Deliveries of notices to mentors. States: pending -> claimed -> delivered, cancelled, unreachable, or pending again.';
comment on column certvakt.deliveries.id is 'The id of the notice, which has one delivery.';
comment on column certvakt.deliveries.expires_at is 'The expiry that the notice states.';
comment on column certvakt.deliveries.opened_at is 'When the delivery became due. Attempts do not change it, so it determines the age of the queue.';
comment on column certvakt.deliveries.available_at is 'The earliest time of the next claim. Null: the recipient has no usable contact point.';
comment on column certvakt.deliveries.attempt is 'The number of attempts, including the current claim. An outcome is recorded only for the current attempt.';
comment on column certvakt.deliveries.cancelled_in is
  'The transaction that cancelled the delivery because its notice was no longer true. The next run checks the certification again.';
comment on column certvakt.deliveries.refused is 'Contact points that permanently refused this notice. A new contact point makes the delivery due again.';

-- The queue in its order; unreachable deliveries come last. A claim changes no column of an index.
create index deliveries_open on certvakt.deliveries (available_at, id) where finished_at is null;
create index deliveries_unreachable on certvakt.deliveries (organisation_id, id) where finished_at is null and available_at is null;
create index deliveries_cancelled on certvakt.deliveries (organisation_id, cancelled_in) where cancelled_in is not null;

alter table certvakt.deliveries enable row level security;
alter table certvakt.deliveries force row level security;
revoke all on certvakt.deliveries from public, anon, authenticated, service_role;
grant select, insert, update, delete on certvakt.deliveries to certvakt_worker;
create policy worker_manages on certvakt.deliveries to certvakt_worker using (true) with check (true);
-- The registrar cancels the open deliveries of a person who is erased.
grant select (id, finished_at), update (state, reason, finished_at, available_at, lease_token, lease_until)
  on certvakt.deliveries to certvakt_registrar;
create policy registrar_ends on certvakt.deliveries to certvakt_registrar using (true) with check (state = 'cancelled');
-- The definer cancels those of people who died or left, and forgets a refusal by an address that a coordinator entered again.
grant select, update (state, reason, finished_at, available_at, lease_token, lease_until, refused) on certvakt.deliveries to certvakt_definer;
create policy definer_reads on certvakt.deliveries for select to certvakt_definer using (true);
create policy definer_ends on certvakt.deliveries for update to certvakt_definer using (true)
  with check (state in ('cancelled', 'unreachable'));

-- The input of the statement that records outcomes (crates/store/src/delivery/finish.sql).
create type certvakt.delivery_outcome as (
  id bigint,
  attempt integer,
  state text,
  reason text,
  wait_seconds double precision,
  -- Contact points that refused the notice permanently.
  refused uuid[]
);
create type certvakt.message_outcome as (
  delivery_id bigint,
  attempt integer,
  message smallint,
  channel text,
  outcome text,
  detail text
);

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
comment on column certvakt.delivery_attempts.delivery_id is 'The delivery. The trigger delete_attempts deletes attempts with it.';
comment on column certvakt.delivery_attempts.message is 'The number of the message within the attempt, which can send to several contact points.';
comment on column certvakt.delivery_attempts.channel is 'The channel. Null: the attempt ended before it used one.';
comment on column certvakt.delivery_attempts.detail is 'The code or message id of the provider. It contains no address and no name.';

alter table certvakt.delivery_attempts enable row level security;
alter table certvakt.delivery_attempts force row level security;
revoke all on certvakt.delivery_attempts from public, anon, authenticated, service_role;
grant select, insert, update, delete on certvakt.delivery_attempts to certvakt_worker;
create policy worker_manages on certvakt.delivery_attempts to certvakt_worker using (true) with check (true);
grant select (delivery_id, attempt, message, channel, outcome, finished_at), delete on certvakt.delivery_attempts to certvakt_definer;
create policy definer_deletes on certvakt.delivery_attempts to certvakt_definer using (true) with check (false);

-- Replaces a foreign key (docs/adr/0005-attempts-without-a-foreign-key.md). Only a worker adds attempts, in the statement
-- that has updated, and so locked, the delivery.
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

-- A correction continues the cycle, so a run must know which notices of the cycle came before it.
create view certvakt.notified_before with (security_invoker = true) as
select cycle.organisation_id, cycle.certification_id, d.stage, d.due_date, false as is_predecessor
from (
  select k.organisation_id, k.certification_id, max(o.changed_at) as cycle_began
  from (
    select distinct c.organisation_id, c.certification_id from certvakt.certification_changes c where c.kind = 'corrected'
  ) k
  join certvakt.cycle_starts o on o.organisation_id = k.organisation_id and o.certification_id = k.certification_id
  group by k.organisation_id, k.certification_id
) cycle
join public.cert_notification_log l on l.certification_id = cycle.certification_id
join certvakt.deliveries d
  on d.id = l.id and d.created_at >= cycle.cycle_began and d.state in ('claimed', 'delivered')
union all
select d.organisation_id, r.successor_id, d.stage, d.due_date, true
from certvakt.replacements r
join public.cert_notification_log l on l.certification_id = r.certification_id
join certvakt.deliveries d on d.id = l.id and d.state in ('claimed', 'delivered')
-- A renewal begins a new cycle.
where not exists (
  select from certvakt.cycle_starts k
  where k.organisation_id = d.organisation_id and k.certification_id = r.successor_id and k.kind = 'renewed'
    and k.changed_at > r.replaced_at);
comment on view certvakt.notified_before is
  'The stages of notices in the current cycle of each certification that was ever corrected, and of those that a new number replaced. Only notices that were handed to a channel count.';
revoke all on certvakt.notified_before from public, anon, authenticated, service_role;
grant select on certvakt.notified_before to certvakt_worker, certvakt_definer;

create table certvakt.channel_stops (
  channel text not null,
  reason text not null,
  stopped_at timestamptz not null default now(),
  organisation_id uuid references certvakt.organisations (id) on delete cascade,
  id bigint generated always as identity primary key
);
comment on table certvakt.channel_stops is
  'Channels whose provider refuses our messages. Their deliveries wait until one of them succeeds.';
comment on column certvakt.channel_stops.organisation_id is
  'The organisation whose messages are refused. Null: the provider refuses the sender, and so all messages.';
create unique index channel_stops_once on certvakt.channel_stops (channel, organisation_id) nulls not distinct;
create index channel_stops_organisation on certvakt.channel_stops (organisation_id);

alter table certvakt.channel_stops enable row level security;
alter table certvakt.channel_stops force row level security;
revoke all on certvakt.channel_stops from public, anon, authenticated, service_role;
grant select, insert, update, delete on certvakt.channel_stops to certvakt_worker;
create policy worker_manages on certvakt.channel_stops to certvakt_worker using (true) with check (true);

create table certvakt.imports (
  id bigint generated always as identity primary key,
  organisation_id uuid not null references certvakt.organisations (id) on delete cascade,
  chapter_ids uuid[] not null,
  certification_types text[] not null,
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
  -- An invalid contact is left out; the rest of its row is imported.
  contacts_rejected bigint not null default 0
    constraint imports_contacts_rejected_check check (contacts_rejected >= 0),
  duplicate bigint not null default 0,
  -- Certifications that a register replaced by one with a new number.
  replaced bigint not null default 0,
  -- Certifications that are no longer in the register, and were suspended or withdrawn for that.
  missing bigint not null default 0,
  new_chapter_ids uuid[] not null default '{}',
  transaction xid8 not null default pg_current_xact_id(),
  undone_at timestamptz,
  undone_by text,
  person_id uuid references certvakt.people (id) on delete set null,
  limited_to uuid[] constraint imports_limited_to_something check (limited_to <> '{}'),
  undo_requested_at timestamptz,
  -- An undo is refused after a few attempts.
  -- squawk-ignore prefer-bigint-over-int
  undo_attempt integer not null default 0,
  undo_requested_by uuid references certvakt.people (id) on delete set null,
  undo jsonb,
  constraint imports_every_row_accounted_for check (read = added + updated + unchanged + duplicate + rejected)
);
comment on column certvakt.imports.chapter_ids is 'The chapters of the rows.';
comment on column certvakt.imports.transaction is
  'The transaction of the import. Its new certifications are those whose first row of certification_changes has it.';
comment on column certvakt.imports.undone_by is 'Who undid it, as account@host. Null: nobody, or a person with their login.';
comment on column certvakt.imports.duplicate is 'Rows that repeat the certification of another row, which counts.';
comment on column certvakt.imports.operator is 'Who ran the command that made the row, as account@host. Null: no command made it.';
comment on column certvakt.imports.person_id is 'Who uploaded the register. Null: a command imported it, or the person was erased.';
comment on column certvakt.imports.limited_to is
  'The chapters that the coordinator who uploaded it managed: nothing else was changed. Null: the whole organisation.';
comment on column certvakt.imports.undo is 'The result of the undo, or why it was refused.';
create index imports_organisation on certvakt.imports (organisation_id);
create index imports_person on certvakt.imports (person_id);
create index imports_undo on certvakt.imports (undo_requested_at) where undo_requested_at is not null;
create index imports_undo_person on certvakt.imports (undo_requested_by);
create index imports_retention on certvakt.imports (finished_at);

alter table certvakt.imports enable row level security;
alter table certvakt.imports force row level security;
revoke all on certvakt.imports from public, anon, authenticated, service_role;
grant select, delete on certvakt.imports to certvakt_worker;
create policy worker_manages on certvakt.imports to certvakt_worker using (true) with check (true);
-- The registrar also undoes imports, and removes a person who is erased.
grant select, insert, update (undone_at, undone_by, person_id, undo_requested_at, undo_attempt, undo_requested_by, undo)
  on certvakt.imports to certvakt_registrar;
create policy registrar_records on certvakt.imports to certvakt_registrar using (true) with check (true);

-- The options with which an organisation reads a register that it exports again and again.
create table certvakt.import_mappings (
  id bigint generated always as identity primary key,
  organisation_id uuid not null references certvakt.organisations (id) on delete cascade,
  name text not null constraint import_mappings_name_form check (name ~ '^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$'),
  options jsonb not null constraint import_mappings_options_form check (jsonb_typeof(options) = 'object'),
  header text[] not null default '{}',
  updated_at timestamptz not null default now(),
  owner_id uuid references certvakt.people (id) on delete cascade,
  constraint import_mappings_name_unique unique nulls not distinct (organisation_id, owner_id, name)
);
comment on table certvakt.import_mappings is 'Saved options for reading a register.';
comment on column certvakt.import_mappings.owner_id is
  'The coordinator who saved it, and who alone uses it. Null: it belongs to the organisation.';
create index import_mappings_owner on certvakt.import_mappings (owner_id);
comment on column certvakt.import_mappings.header is
  'The names of the file''s columns when the mapping was saved. Empty: it was saved without a file.';

alter table certvakt.import_mappings enable row level security;
alter table certvakt.import_mappings force row level security;
revoke all on certvakt.import_mappings from public, anon, authenticated, service_role;
grant select, insert, update (options, header, updated_at), delete on certvakt.import_mappings to certvakt_registrar;
create policy registrar_manages on certvakt.import_mappings to certvakt_registrar using (true) with check (true);
grant select (organisation_id, name, updated_at, owner_id) on certvakt.import_mappings to certvakt_worker;
create policy worker_reads on certvakt.import_mappings for select to certvakt_worker using (true);

-- What an import changed in certifications and people that existed before, so that it can be undone for 30 days.
create table certvakt.import_changes (
  id bigint generated always as identity primary key,
  import_id bigint not null references certvakt.imports (id) on delete cascade,
  person_id uuid not null references certvakt.people (id) on delete cascade,
  certification_id uuid references public.peer_mentor_certifications (id) on delete cascade,
  before jsonb not null constraint import_changes_before_form check (jsonb_typeof(before) = 'object'),
  after jsonb not null constraint import_changes_after_form check (jsonb_typeof(after) = 'object'),
  -- The merge of the rows comes first; then certifications that are replaced or missing are suspended.
  is_suspension boolean not null default false
);
comment on table certvakt.import_changes is
  'The changed fields of certifications and people, before and after an import. Deleted after 30 days, and when the person is erased.';
create index import_changes_import on certvakt.import_changes (import_id);
create index import_changes_person on certvakt.import_changes (person_id);
create index import_changes_certification on certvakt.import_changes (certification_id);

alter table certvakt.import_changes enable row level security;
alter table certvakt.import_changes force row level security;
revoke all on certvakt.import_changes from public, anon, authenticated, service_role;
grant select, insert, delete on certvakt.import_changes to certvakt_registrar;
create policy registrar_manages on certvakt.import_changes to certvakt_registrar using (true) with check (true);
grant select, delete on certvakt.import_changes to certvakt_worker;
create policy worker_reads on certvakt.import_changes for select to certvakt_worker using (true);
create policy worker_deletes on certvakt.import_changes for delete to certvakt_worker using (true);
