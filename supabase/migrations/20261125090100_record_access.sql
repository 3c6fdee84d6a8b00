-- Who looked at what: one event a request of a person, append-only, kept a year.

set local lock_timeout = '5s';
set local statement_timeout = '60s';

-- A request takes its number in its own transaction, and the event is written later. A sequence forgets
-- nothing, whatever crashes, so a number without an event is an event that was lost.
create sequence certvakt.access_numbers as bigint;
revoke all on sequence certvakt.access_numbers from public, anon, authenticated, service_role;
grant usage on sequence certvakt.access_numbers to authenticated, certvakt_worker;

create table certvakt.access_events (
  number bigint primary key,
  at timestamptz not null,
  person_id uuid,
  method text not null,
  resource text not null,
  resource_id uuid,
  -- squawk-ignore prefer-bigint-over-smallint
  status smallint,
  rows_read bigint not null,
  organisations_of_person uuid[] not null,
  organisations_of_rows uuid[] not null
);
comment on table certvakt.access_events is
  'Requests of people through the API and the pages. Supabase''s own REST is not among them.';
comment on column certvakt.access_events.person_id is
  'Who asked; not a foreign key, for the record outlives the person. Null: the service began to record.';
comment on column certvakt.access_events.resource is 'The address, with the names of its variable parts.';
comment on column certvakt.access_events.resource_id is 'The id in the address, if there is one.';
comment on column certvakt.access_events.status is 'The HTTP status; null: the answer was given up.';
comment on column certvakt.access_events.organisations_of_person is
  'Of which organisations the person was a member, or which had certified them, when the request began.';
comment on column certvakt.access_events.organisations_of_rows is 'From which organisations the rows came that were read for the answer.';
create index access_events_at on certvakt.access_events using brin (at);
create index access_events_person on certvakt.access_events (person_id, number);
create index access_events_across on certvakt.access_events (number)
  where not organisations_of_rows <@ organisations_of_person;

create trigger refuse_update before update on certvakt.access_events
  for each statement execute function certvakt.refuse_log_rewrite();
create trigger refuse_truncate before truncate on certvakt.access_events
  for each statement execute function certvakt.refuse_log_rewrite();
alter table certvakt.access_events enable always trigger refuse_update;
alter table certvakt.access_events enable always trigger refuse_truncate;

alter table certvakt.access_events enable row level security;
alter table certvakt.access_events force row level security;
revoke all on certvakt.access_events from public, anon, authenticated, service_role;
grant select, insert on certvakt.access_events to certvakt_worker;
create policy worker_reads on certvakt.access_events for select to certvakt_worker using (true);
create policy worker_records on certvakt.access_events for insert to certvakt_worker with check (true);

-- Retention, as that of the log of notices: by its owner alone, whom a policy holds to the floor.
create policy owner_sees_old on certvakt.access_events for select to current_user
  using (at < now() - interval '365 days');
create policy owner_deletes_old on certvakt.access_events for delete to current_user
  using (at < now() - interval '365 days');

create function certvakt.delete_old_access_events(older_than interval, batch integer) returns bigint
language plpgsql security definer set search_path = '' as $$
declare
  deleted bigint;
begin
  delete from certvakt.access_events
  where number in (
    select e.number from certvakt.access_events e
    where e.at < now() - greatest(older_than, interval '365 days')
    limit batch
  );
  get diagnostics deleted = row_count;
  return deleted;
end
$$;
comment on function certvakt.delete_old_access_events is
  'Deletes at most `batch` events older than `older_than`, and never one of the last 365 days.';
revoke all on function certvakt.delete_old_access_events from public, anon, authenticated, service_role;
grant execute on function certvakt.delete_old_access_events to certvakt_worker;
