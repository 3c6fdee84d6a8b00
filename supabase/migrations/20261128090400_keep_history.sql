-- The history of a certification: an entry for each renewal, correction, suspension, reinstatement and withdrawal. A
-- trigger in the next file writes the entries, and no role can change one. Each contains the hash of the previous entry.
--
-- renewal_history contains the history. An organisation with long histories can store them as rows of
-- certification_renewal_events; renewal_history then contains the newest entries. Readers get the same history either way.

set local lock_timeout = '5s';
set local statement_timeout = '60s';

-- The text that people write about a change is not in the entry, which contains a salted digest of it. So the text can be
-- erased, and the chain of hashes stays valid. The id of an entry can be the caller's choice, so it is unique within one
-- certification only.
create table certvakt.renewal_remarks (
  entry_id uuid not null,
  certification_id uuid not null references public.peer_mentor_certifications (id) on delete cascade,
  salt bytea not null constraint renewal_remarks_salt_form check (length(salt) = 32),
  evidence text constraint renewal_remarks_evidence_form check (length(evidence) between 1 and 500)
    constraint renewal_remarks_evidence_plain check (evidence !~ certvakt.forbidden_characters()),
  -- A note may have several lines.
  note text constraint renewal_remarks_note_form check (length(note) between 1 and 2000)
    constraint renewal_remarks_note_plain check (translate(note, e'\n\r\t', '') !~ certvakt.forbidden_characters()),
  operator text,
  primary key (certification_id, entry_id)
);
comment on table certvakt.renewal_remarks is
  'Evidence and notes of entries. If an entry has a digest and no row here, they were erased.';
comment on column certvakt.renewal_remarks.operator is
  'Who ran the command that made the change, as account@host. The digest does not contain it. Null: no command made the change.';

alter table certvakt.renewal_remarks enable row level security;
alter table certvakt.renewal_remarks force row level security;
revoke all on certvakt.renewal_remarks from public, anon, authenticated, service_role;
grant select on certvakt.renewal_remarks to certvakt_worker;
create policy worker_reads on certvakt.renewal_remarks for select to certvakt_worker using (true);
grant select, delete on certvakt.renewal_remarks to certvakt_registrar;
create policy registrar_erases on certvakt.renewal_remarks to certvakt_registrar using (true);
grant select, insert on certvakt.renewal_remarks to certvakt_definer;
create policy definer_writes on certvakt.renewal_remarks to certvakt_definer using (true) with check (true);

-- Long histories. Administrators are notified of each one once. A history with ten times as many entries is full.
create table certvakt.long_histories (
  certification_id uuid primary key references public.peer_mentor_certifications (id) on delete cascade,
  noticed_at timestamptz not null default now(),
  alerted_at timestamptz
);
comment on table certvakt.long_histories is 'Certifications with long histories, and when the organisation''s administrators were notified.';

alter table certvakt.long_histories enable row level security;
alter table certvakt.long_histories force row level security;
revoke all on certvakt.long_histories from public, anon, authenticated, service_role;
grant select, update (alerted_at) on certvakt.long_histories to certvakt_worker;
create policy worker_updates on certvakt.long_histories to certvakt_worker using (true) with check (true);
grant select (certification_id), delete on certvakt.long_histories to certvakt_registrar;
create policy registrar_deletes on certvakt.long_histories to certvakt_registrar using (true) with check (false);
grant select, insert on certvakt.long_histories to certvakt_definer;
create policy definer_notices on certvakt.long_histories to certvakt_definer using (true) with check (true);

create table certvakt.certification_renewal_events (
  certification_id uuid not null references public.peer_mentor_certifications (id) on delete cascade,
  -- squawk-ignore prefer-bigint-over-int
  number integer not null constraint certification_renewal_events_number_range check (number > 0),
  entry jsonb not null,
  primary key (certification_id, number)
);
comment on table certvakt.certification_renewal_events is
  'Entries of histories that are stored as rows. If one entry of a history is here, all of them are.';
create trigger refuse_update before update on certvakt.certification_renewal_events
  for each statement execute function certvakt.refuse_log_rewrite();
create trigger refuse_truncate before truncate on certvakt.certification_renewal_events
  for each statement execute function certvakt.refuse_log_rewrite();
-- The triggers fire even if session_replication_role is replica.
alter table certvakt.certification_renewal_events enable always trigger refuse_update;
alter table certvakt.certification_renewal_events enable always trigger refuse_truncate;

alter table certvakt.certification_renewal_events enable row level security;
alter table certvakt.certification_renewal_events force row level security;
revoke all on certvakt.certification_renewal_events from public, anon, authenticated, service_role;
grant select on certvakt.certification_renewal_events to certvakt_worker, certvakt_registrar;
create policy worker_reads on certvakt.certification_renewal_events for select to certvakt_worker using (true);
create policy registrar_reads on certvakt.certification_renewal_events for select to certvakt_registrar using (true);
grant select, insert on certvakt.certification_renewal_events to certvakt_definer;
create policy definer_writes on certvakt.certification_renewal_events to certvakt_definer using (true) with check (true);

-- The contents of an entry.

create function certvakt.canonical(value jsonb) returns text
language plpgsql immutable strict parallel safe set search_path = '' as $$
begin
  return case jsonb_typeof(value)
    when 'object' then '{' || coalesce((
      select string_agg(to_json(m.key)::text || ':' || certvakt.canonical(m.value), ',' order by m.key collate "C")
      from jsonb_each(value) m), '') || '}'
    when 'array' then '[' || coalesce((
      select string_agg(certvakt.canonical(e.value), ',' order by e.number)
      from jsonb_array_elements(value) with ordinality e (value, number)), '') || ']'
    else value::text
  end;
end
$$;
comment on function certvakt.canonical is 'Returns the canonical text of JSON (RFC 8785), for values that certvakt.is_canonical accepts.';

create function certvakt.is_canonical(value jsonb) returns boolean
language plpgsql immutable strict parallel safe set search_path = '' as $$
begin
  return case jsonb_typeof(value)
    when 'object' then not exists (
      select from jsonb_each(value) m where m.key !~ '^[a-z0-9_]+$' or not certvakt.is_canonical(m.value))
    when 'array' then not exists (select from jsonb_array_elements(value) e where not certvakt.is_canonical(e.value))
    -- Integers that every JSON parser reads without loss.
    when 'number' then value::text ~ '^(0|-?[1-9]\d{0,14})$'
    else true
  end;
end
$$;
comment on function certvakt.is_canonical is 'Returns whether every key is in lower case and every number is an integer.';

create function certvakt.entry_hash(entry jsonb) returns text
language sql immutable strict parallel safe set search_path = ''
return encode(sha256(convert_to(certvakt.canonical(entry), 'UTF8')), 'hex');
comment on function certvakt.entry_hash is 'Returns the SHA-256 digest of an entry''s canonical text, in hex. The next entry contains it as `previous`.';

create function certvakt.utc_text(at timestamptz) returns text
language sql immutable strict parallel safe set search_path = ''
return to_char(at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"');
comment on function certvakt.utc_text is 'Returns a time as entries contain it: RFC 3339 in UTC with microseconds.';

create function certvakt.is_on_calendar(value text) returns boolean
language sql immutable strict parallel safe set search_path = ''
return case
  when value !~ '^[0-9]{4}-[0-9]{2}-[0-9]{2}(T|$)' then true
  when value !~ '^[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])(T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9][.][0-9]{6}Z)?$'
    or value ~ '^0000' then false
  else substr(value, 9, 2)::integer <= extract(day from
    make_date(substr(value, 1, 4)::integer, substr(value, 6, 2)::integer, 1) + interval '1 month - 1 day')
end;
comment on function certvakt.is_on_calendar is
  'Returns false if a text looks like a date or a time but does not exist in the calendar.';

-- docs/schemas/ has the same as JSON Schema. Version 1 has no source.
create function certvakt.entry_fields()
returns table (schema_version integer, field text, json_type text, may_be_null boolean, form text)
language sql immutable parallel safe set search_path = ''
begin atomic
  with first (field, json_type, may_be_null, form) as (
    values
      ('id', 'string', false, '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$'),
      ('at', 'string', false, '^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$'),
      ('actor', 'string', true, '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$'),
      ('completed_on', 'string', true, '^\d{4}-\d\d-\d\d$'),
      ('expires_before', 'string', true, '^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$'),
      ('expires_after', 'string', true, '^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$'),
      ('told', 'array', true, '^\[("(expiry_warning_[1-9]\d{0,3}d|expired)"(, )?)*\]$'),
      ('words', 'string', true, '^[0-9a-f]{64}$'),
      ('previous', 'string', true, '^[0-9a-f]{64}$')
  )
  select v.version, first.* from (values (1), (2)) v (version) cross join first
  union all
  values
    (1, 'kind', 'string', false, '^(renewed|corrected|suspended|reinstated|withdrawn)$'),
    (2, 'kind', 'string', false, '^(renewed|corrected|suspended|reinstated|withdrawn|undone)$'),
    (2, 'source', 'string', false, '^(api|command|register|portal|database|undo)$');
end;
comment on function certvakt.entry_fields is 'Returns the fields of an entry except schema_version, for each known version.';

create function certvakt.entry_fault(entry jsonb) returns text
language plpgsql immutable parallel safe set search_path = '' as $$
declare
  version integer;
  fault text;
begin
  if jsonb_typeof(entry) is distinct from 'object' then
    return 'it is no object';
  end if;
  if jsonb_typeof(entry -> 'schema_version') is distinct from 'number' or entry ->> 'schema_version' !~ '^[1-9]\d{0,3}$' then
    return 'schema_version is no whole number from 1 to 9999';
  end if;
  version := (entry ->> 'schema_version')::integer;
  -- An entry of a later version is accepted as it is, if it has a canonical text.
  if version > (select max(f.schema_version) from certvakt.entry_fields() f) then
    return case when not certvakt.is_canonical(entry) then 'a key is not in small letters, or a number is not whole' end;
  end if;
  select min(coalesce(f.field, m.key) || case
      when f.field is null then ' is no field of it'
      when m.key is null then ' is missing'
      when entry ->> f.field ~ f.form and not certvakt.is_on_calendar(entry ->> f.field) then ' is not on the calendar'
      else ' has another form' end)
  into fault
  from (select * from certvakt.entry_fields() f where f.schema_version = version) f
  full join (select * from jsonb_each(entry) where key <> 'schema_version') m on m.key = f.field
  where f.field is null or m.key is null
    or case jsonb_typeof(m.value)
      when 'null' then not f.may_be_null
      else jsonb_typeof(m.value) <> f.json_type or entry ->> f.field !~ f.form
        or not certvakt.is_on_calendar(entry ->> f.field) end;
  return fault;
end
$$;
comment on function certvakt.entry_fault is
  'Returns what is wrong with an entry of a history. Null: it is valid, or its version is later than the known ones.';

create function certvakt.new_entry(
  said jsonb, kind text, expires_before timestamptz, expires_after timestamptz, told jsonb, words text, previous text)
returns jsonb
language sql volatile set search_path = ''
begin atomic
  select jsonb_build_object(
    'schema_version', 2,
    'id', coalesce(said ->> 'id', certvakt.uuid_v7()::text),
    'kind', kind,
    -- The row is locked, so the times of a history's entries increase.
    'at', certvakt.utc_text(clock_timestamp()),
    -- The claims identify a person only in the role authenticated, whose token the server has checked. The registrar may
    -- name the administrator who uploaded a register. An app's backend could set both, so it cannot name an actor.
    'actor', case certvakt.calling_role()
      when 'authenticated' then certvakt.current_person()::text
      when 'certvakt_registrar' then coalesce(certvakt.current_person()::text, said ->> 'actor')
    end,
    'source', case
      when certvakt.calling_role() = 'service_role' then 'database'
      else coalesce(said ->> 'source', 'database')
    end,
    'completed_on', said ->> 'completed_on',
    'expires_before', certvakt.utc_text(expires_before),
    'expires_after', certvakt.utc_text(expires_after),
    'told', told,
    'words', words,
    'previous', previous);
end;
comment on function certvakt.new_entry is 'Returns an entry of the latest version.';

revoke all on function certvakt.canonical(jsonb), certvakt.is_canonical(jsonb), certvakt.entry_hash(jsonb),
  certvakt.utc_text(timestamptz), certvakt.is_on_calendar(text), certvakt.entry_fields(),
  certvakt.entry_fault(jsonb), certvakt.new_entry(jsonb, text, timestamptz, timestamptz, jsonb, text, text)
  from public, anon, authenticated, service_role;
-- A certification may come with a history, which is checked with the rights of the role that writes it.
grant execute on function certvakt.is_canonical(jsonb), certvakt.is_on_calendar(text), certvakt.entry_fields(),
  certvakt.entry_fault(jsonb) to certvakt_registrar, certvakt_definer, service_role;
grant execute on function certvakt.canonical(jsonb), certvakt.entry_hash(jsonb), certvakt.utc_text(timestamptz),
  certvakt.new_entry(jsonb, text, timestamptz, timestamptz, jsonb, text, text) to certvakt_definer;

-- Only these functions know where a history is stored.

-- renewal_history contains this many entries of a history that is stored as rows.
create function certvakt.newest(history jsonb) returns jsonb
language sql immutable strict parallel safe set search_path = ''
return jsonb_path_query_array(history, '$[last - 19 to last]');
comment on function certvakt.newest is 'Returns the newest twenty entries of a history.';

create function certvakt.entries_of(certification uuid, history jsonb) returns jsonb
language sql stable security definer set search_path = ''
begin atomic
  select coalesce(
    (select jsonb_agg(e.entry order by e.number) from certvakt.certification_renewal_events e
     where e.certification_id = certification), history);
end;
comment on function certvakt.entries_of is
  'Returns the whole history of a certification. `history` is the value of its renewal_history.';

create function certvakt.length_of_history(certification uuid, history jsonb) returns integer
language sql stable security definer set search_path = ''
begin atomic
  select coalesce(
    (select max(e.number) from certvakt.certification_renewal_events e where e.certification_id = certification),
    jsonb_array_length(history));
end;
comment on function certvakt.length_of_history is 'Returns the number of entries in the history of a certification.';

create function certvakt.append_to_history(certification uuid, organisation uuid, history jsonb, entries jsonb) returns jsonb
language plpgsql security definer set search_path = '' as $$
declare
  length integer := (select max(e.number) from certvakt.certification_renewal_events e where e.certification_id = certification);
  added jsonb := entries;
  written bigint;
begin
  if length is null then
    if (select o.has_renewal_events from certvakt.organisations o where o.id = organisation) is not true then
      -- A snapshot that is older than the first move shows neither the rows nor has_renewal_events. The organisation's row
      -- was updated since, so locking it ends such a transaction with a serialization failure.
      if current_setting('transaction_isolation') not in ('read committed', 'read uncommitted') then
        perform from certvakt.organisations o where o.id = organisation for share;
      end if;
      return history || entries;
    end if;
    length := 0;
    added := history || entries;
  end if;
  insert into certvakt.certification_renewal_events (certification_id, number, entry)
  select certification, length + e.number, e.entry from jsonb_array_elements(added) with ordinality e (entry, number)
  on conflict do nothing;
  get diagnostics written = row_count;
  if written < jsonb_array_length(added) then
    raise exception 'another transaction has moved this history to rows' using errcode = 'serialization_failure', hint = 'Try again.';
  end if;
  return certvakt.newest(history || entries);
end
$$;
comment on function certvakt.append_to_history is 'Adds entries to a history, and returns the new value of renewal_history.';

create function certvakt.normalise_histories(organisation uuid, after uuid, batch integer)
returns table (last uuid, certifications bigint, entries bigint)
language plpgsql security definer set search_path = '' as $$
declare
  picked uuid[];
begin
  -- From now on, a change of a certification moves its history.
  update certvakt.organisations o set has_renewal_events = true where o.id = organisation and not o.has_renewal_events;
  -- SKIP LOCKED leaves out certifications that another transaction is changing. That change or the next call moves them.
  picked := array(
    select c.id from public.peer_mentor_certifications c
    where c.organisation_id = organisation and c.id > after and c.renewal_history <> '[]'
      -- The redundant condition on certification_id keeps the planner from reading histories that were moved before.
      and not exists (
        select from certvakt.certification_renewal_events e where e.certification_id = c.id and e.certification_id > after)
    order by c.id limit batch for update skip locked);
  last := picked[cardinality(picked)];
  -- Leave out histories that a change moved before the lock.
  picked := array(
    select p.id from unnest(picked) p (id)
    where not exists (select from certvakt.certification_renewal_events e where e.certification_id = p.id));
  insert into certvakt.certification_renewal_events (certification_id, number, entry)
  select c.id, e.number, e.entry
  from public.peer_mentor_certifications c, jsonb_array_elements(c.renewal_history) with ordinality e (entry, number)
  where c.id = any (picked);
  get diagnostics entries = row_count;
  -- Updating a certification costs more than storing up to 200 entries twice until its next change.
  update public.peer_mentor_certifications c set renewal_history = certvakt.newest(c.renewal_history)
  where c.id = any (picked) and jsonb_array_length(c.renewal_history) > 200;
  certifications := cardinality(picked);
  return next;
end
$$;
comment on function certvakt.normalise_histories is
  'Moves the histories of the next `batch` certifications of an organisation to rows. Returns the last certification, and the numbers of certifications and entries.';

revoke all on function certvakt.newest(jsonb), certvakt.entries_of(uuid, jsonb),
  certvakt.length_of_history(uuid, jsonb), certvakt.append_to_history(uuid, uuid, jsonb, jsonb),
  certvakt.normalise_histories(uuid, uuid, integer) from public, anon, authenticated, service_role;
grant execute on function certvakt.newest(jsonb) to certvakt_definer;
grant execute on function certvakt.entries_of(uuid, jsonb) to certvakt_worker, certvakt_registrar, service_role;
grant execute on function certvakt.length_of_history(uuid, jsonb) to certvakt_registrar;
grant execute on function certvakt.normalise_histories(uuid, uuid, integer) to certvakt_worker;
alter function certvakt.entries_of(uuid, jsonb) owner to certvakt_definer;
alter function certvakt.length_of_history(uuid, jsonb) owner to certvakt_definer;
alter function certvakt.append_to_history(uuid, uuid, jsonb, jsonb) owner to certvakt_definer;
alter function certvakt.normalise_histories(uuid, uuid, integer) owner to certvakt_definer;

create function certvakt.is_withdrawn(status text, history jsonb) returns boolean
language sql immutable parallel safe set search_path = ''
return status = 'suspended' and coalesce(history -> -1 ->> 'kind' = 'withdrawn', false);
comment on function certvakt.is_withdrawn is
  'Returns whether a certification with this status and history is withdrawn: it is suspended, and the last entry is a withdrawal.';
revoke all on function certvakt.is_withdrawn(text, jsonb) from public, anon, authenticated, service_role;
grant execute on function certvakt.is_withdrawn(text, jsonb) to certvakt_registrar, certvakt_definer, authenticated;
