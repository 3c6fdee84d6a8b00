-- Histories as rows, for an organisation whose histories grow: the events are the source then, and
-- renewal_history holds the newest of them. What is read is the same before, meanwhile and after.

set local lock_timeout = '5s';
set local statement_timeout = '60s';

create table certvakt.certification_renewal_events (
  certification_id uuid not null references public.peer_mentor_certifications (id) on delete cascade,
  -- squawk-ignore prefer-bigint-over-int
  number integer not null constraint certification_renewal_events_number_range check (number > 0),
  entry jsonb not null,
  primary key (certification_id, number)
);
comment on table certvakt.certification_renewal_events is
  'The entries of histories that were moved here, each whole or not at all: where there is one, all are.';
create trigger refuse_update before update on certvakt.certification_renewal_events
  for each statement execute function certvakt.refuse_log_rewrite();
create trigger refuse_truncate before truncate on certvakt.certification_renewal_events
  for each statement execute function certvakt.refuse_log_rewrite();
alter table certvakt.certification_renewal_events enable always trigger refuse_update;
alter table certvakt.certification_renewal_events enable always trigger refuse_truncate;
alter table certvakt.certification_renewal_events enable row level security;
alter table certvakt.certification_renewal_events force row level security;
revoke all on certvakt.certification_renewal_events from public, anon, authenticated, service_role;
grant select, insert on certvakt.certification_renewal_events to certvakt_definer;
grant select on certvakt.certification_renewal_events to certvakt_worker, certvakt_registrar;
create policy definer_writes on certvakt.certification_renewal_events to certvakt_definer using (true) with check (true);
create policy worker_reads on certvakt.certification_renewal_events for select to certvakt_worker using (true);
create policy registrar_reads on certvakt.certification_renewal_events for select to certvakt_registrar using (true);

alter table certvakt.organisations add column has_renewal_events boolean not null default false;
comment on column certvakt.organisations.has_renewal_events is
  'Whether histories that change are moved to certification_renewal_events.';
grant update (has_renewal_events) on certvakt.organisations to certvakt_definer;
create policy definer_moves on certvakt.organisations for update to certvakt_definer using (true) with check (true);
grant update (renewal_history) on public.peer_mentor_certifications to certvakt_definer;
create policy definer_moves on public.peer_mentor_certifications for update to certvakt_definer using (true) with check (true);

-- How many of the newest entries renewal_history holds, once the others are rows.
create function certvakt.newest(history jsonb) returns jsonb
language sql immutable strict parallel safe
return jsonb_path_query_array(history, '$[last - 19 to last]');
comment on function certvakt.newest is 'The newest twenty entries of a history.';

create or replace function certvakt.entries_of(certification uuid, history jsonb) returns jsonb
language sql stable security definer set search_path = ''
begin atomic
  select coalesce(
    (select jsonb_agg(e.entry order by e.number) from certvakt.certification_renewal_events e
     where e.certification_id = certification), history);
end;
create or replace function certvakt.length_of_history(certification uuid, history jsonb) returns integer
language sql stable security definer set search_path = ''
begin atomic
  select coalesce(
    (select max(e.number) from certvakt.certification_renewal_events e where e.certification_id = certification),
    jsonb_array_length(history));
end;

create or replace function certvakt.append_to_history(certification uuid, organisation uuid, history jsonb, entries jsonb) returns jsonb
language plpgsql security definer set search_path = '' as $$
declare
  length integer := (select max(e.number) from certvakt.certification_renewal_events e where e.certification_id = certification);
begin
  if length is null and (select o.has_renewal_events from certvakt.organisations o where o.id = organisation) then
    insert into certvakt.certification_renewal_events (certification_id, number, entry)
    select certification, e.number, e.entry from jsonb_array_elements(history) with ordinality e (entry, number);
    length := jsonb_array_length(history);
  end if;
  if length is null then
    return history || entries;
  end if;
  insert into certvakt.certification_renewal_events (certification_id, number, entry)
  select certification, length + e.number, e.entry from jsonb_array_elements(entries) with ordinality e (entry, number);
  return certvakt.newest(history || entries);
end
$$;
create function certvakt.normalise_histories(organisation uuid, after uuid, batch integer)
returns table (last uuid, certifications bigint, entries bigint)
language plpgsql security definer set search_path = '' as $$
declare
  picked uuid[];
begin
  -- From now on a history that changes is moved by its change.
  update certvakt.organisations o set has_renewal_events = true where o.id = organisation and not o.has_renewal_events;
  -- What somebody is changing right now is moved by that, or found by the next pass.
  picked := array(
    select c.id from public.peer_mentor_certifications c
    where c.organisation_id = organisation and c.id > after and c.renewal_history <> '[]'
      and not exists (select from certvakt.certification_renewal_events e where e.certification_id = c.id)
    order by c.id limit batch for update skip locked);
  last := picked[cardinality(picked)];
  -- What was moved by its change between the look and the lock.
  picked := array(
    select p.id from unnest(picked) p (id)
    where not exists (select from certvakt.certification_renewal_events e where e.certification_id = p.id));
  insert into certvakt.certification_renewal_events (certification_id, number, entry)
  select c.id, e.number, e.entry
  from public.peer_mentor_certifications c, jsonb_array_elements(c.renewal_history) with ordinality e (entry, number)
  where c.id = any (picked);
  get diagnostics entries = row_count;
  update public.peer_mentor_certifications c set renewal_history = certvakt.newest(c.renewal_history)
  where c.id = any (picked) and jsonb_array_length(c.renewal_history) > 20;
  certifications := cardinality(picked);
  return next;
end
$$;
comment on function certvakt.normalise_histories is
  'Moves the histories of an organisation''s next few certifications, each whole: which was the last, how many they were, how many entries they had.';

-- Whoever sets renewal_history to what it must hold beside its events changes nothing.
create or replace function certvakt.refuse_history_rewrite() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  if new.renewal_history is distinct from old.renewal_history
    and new.renewal_history is distinct from (
      select certvakt.newest(jsonb_agg(e.entry order by e.number)) from certvakt.certification_renewal_events e
      where e.certification_id = old.id) then
    raise exception 'a history is append-only: what was written stays as it was written'
      using errcode = 'restrict_violation', hint = 'Change the date or the status: the entry comes of itself.';
  end if;
  return new;
end
$$;

-- To move a history is no change that somebody could have missed.
drop trigger touch_certification on public.peer_mentor_certifications;
create trigger touch_certification before update on public.peer_mentor_certifications
  for each row when (
    (old.organisation_id, old.chapter_id, old.certification_type, old.external_id, old.issued_at, old.expires_at, old.status)
    is distinct from
    (new.organisation_id, new.chapter_id, new.certification_type, new.external_id, new.issued_at, new.expires_at, new.status))
  execute function certvakt.touch_certification();

do $$
declare
  own text;
begin
  foreach own in array array['newest(jsonb)', 'normalise_histories(uuid, uuid, integer)'] loop
    execute format('revoke all on function certvakt.%s from public, anon, authenticated, service_role', own);
    execute format('grant execute on function certvakt.%s to certvakt_definer', own);
  end loop;
end
$$;
grant execute on function certvakt.newest(jsonb) to certvakt_worker;
grant execute on function certvakt.normalise_histories(uuid, uuid, integer) to certvakt_worker;
alter function certvakt.entries_of(uuid, jsonb) owner to certvakt_definer;
alter function certvakt.length_of_history(uuid, jsonb) owner to certvakt_definer;
alter function certvakt.append_to_history(uuid, uuid, jsonb, jsonb) owner to certvakt_definer;
alter function certvakt.normalise_histories(uuid, uuid, integer) owner to certvakt_definer;
alter function certvakt.refuse_history_rewrite() owner to certvakt_definer;
