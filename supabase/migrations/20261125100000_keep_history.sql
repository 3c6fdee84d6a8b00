-- The history of a certification: an entry for each renewal, correction, suspension, reinstatement and
-- withdrawal, whoever makes it and whichever way. The database writes the entries and nobody changes them.
-- Each holds the hash of the one before.

set local lock_timeout = '5s';
set local statement_timeout = '60s';

-- Until when a renewal makes a certification of the type valid, unless a date is given.
alter table certvakt.certification_types add column renewal_rule text not null default 'completion'
  constraint certification_types_renewal_rule_known
  check (renewal_rule ~ '^(completion|expiry|(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01]))$');
comment on column certvakt.certification_types.renewal_rule is
  'From which day a renewal counts validity_months: completion; expiry, the old last valid day; or completion, and on to the next such day of a year, as MM-DD.';
grant update (renewal_rule) on certvakt.certification_types to certvakt_registrar;
grant select (renewal_rule) on certvakt.certification_types to authenticated;

-- What somebody wrote about a renewal stands apart from its entry, which holds a salted digest: it can be
-- erased, and the chain still holds.
create table certvakt.renewal_words (
  entry_id uuid primary key,
  certification_id uuid not null references public.peer_mentor_certifications (id) on delete cascade,
  salt bytea not null constraint renewal_words_salt_form check (length(salt) = 32),
  evidence text constraint renewal_words_evidence_form check (length(evidence) between 1 and 500),
  note text constraint renewal_words_note_form check (length(note) between 1 and 2000)
);
comment on table certvakt.renewal_words is
  'Evidence and note of a history''s entries. An entry with a digest and no words here: they were erased.';
create index renewal_words_certification on certvakt.renewal_words (certification_id);
alter table certvakt.renewal_words enable row level security;
alter table certvakt.renewal_words force row level security;
revoke all on certvakt.renewal_words from public, anon, authenticated, service_role;
grant select, insert on certvakt.renewal_words to certvakt_definer;
grant select on certvakt.renewal_words to certvakt_worker;
grant select, delete on certvakt.renewal_words to certvakt_registrar;
create policy definer_writes on certvakt.renewal_words to certvakt_definer using (true) with check (true);
create policy worker_reads on certvakt.renewal_words for select to certvakt_worker using (true);
create policy registrar_erases on certvakt.renewal_words to certvakt_registrar using (true);

-- Histories that have grown long: the organisation is told once, and at ten times as many they are full.
-- squawk-ignore prefer-bigint-over-int
alter table certvakt.installation add column long_history integer not null default 500
  constraint installation_long_history_range check (long_history between 1 and 10000);
comment on column certvakt.installation.long_history is
  'From how many entries on a history is long; at ten times as many it takes no more.';
grant select (long_history) on certvakt.installation to certvakt_definer;
create policy definer_reads on certvakt.installation for select to certvakt_definer using (true);
create table certvakt.long_histories (
  certification_id uuid primary key references public.peer_mentor_certifications (id) on delete cascade,
  noticed_at timestamptz not null default now(),
  told_at timestamptz
);
comment on table certvakt.long_histories is 'Certifications whose histories are long, and when their organisation''s administrators were told.';
alter table certvakt.long_histories enable row level security;
alter table certvakt.long_histories force row level security;
revoke all on certvakt.long_histories from public, anon, authenticated, service_role;
grant select, insert on certvakt.long_histories to certvakt_definer;
grant select, update (told_at) on certvakt.long_histories to certvakt_worker;
create policy definer_notices on certvakt.long_histories to certvakt_definer using (true) with check (true);
create policy worker_tells on certvakt.long_histories to certvakt_worker using (true) with check (true);

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
comment on function certvakt.canonical is 'JSON as RFC 8785 writes it, of whatever certvakt.is_canonical takes.';

create function certvakt.is_canonical(value jsonb) returns boolean
language plpgsql immutable strict parallel safe set search_path = '' as $$
begin
  return case jsonb_typeof(value)
    when 'object' then not exists (
      select from jsonb_each(value) m where m.key !~ '^[a-z0-9_]+$' or not certvakt.is_canonical(m.value))
    when 'array' then not exists (select from jsonb_array_elements(value) e where not certvakt.is_canonical(e.value))
    -- Whole numbers that every reader of JSON knows exactly.
    when 'number' then value::text ~ '^(0|-?[1-9]\d{0,14})$'
    else true
  end;
end
$$;
comment on function certvakt.is_canonical is 'Whether every key of some JSON is in small letters, and every number whole.';

create function certvakt.entry_hash(entry jsonb) returns text
language sql immutable strict parallel safe
return encode(sha256(convert_to(certvakt.canonical(entry), 'UTF8')), 'hex');
comment on function certvakt.entry_hash is 'Hex SHA-256 of an entry''s canonical text: what the entry after it holds as `previous`.';

create function certvakt.utc_text(at timestamptz) returns text
language sql immutable strict parallel safe
return to_char(at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"');
comment on function certvakt.utc_text is 'An instant as entries hold it: RFC 3339, UTC, microseconds.';

-- What entries are made of, as docs/schemas/renewal-entry-v1.json says in JSON Schema.
create function certvakt.entry_fields()
returns table (schema_version integer, field text, json_type text, may_be_null boolean, form text)
language sql immutable parallel safe set search_path = ''
begin atomic
  values
    (1, 'id', 'string', false, '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$'),
    (1, 'kind', 'string', false, '^(renewed|corrected|suspended|reinstated|withdrawn)$'),
    (1, 'at', 'string', false, '^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$'),
    (1, 'actor', 'string', true, '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$'),
    (1, 'completed_on', 'string', true, '^\d{4}-\d\d-\d\d$'),
    (1, 'expires_before', 'string', true, '^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$'),
    (1, 'expires_after', 'string', true, '^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$'),
    (1, 'told', 'array', true, '^\[("(expiry_warning_(90|30|7)d|expired)"(, )?)*\]$'),
    (1, 'words', 'string', true, '^[0-9a-f]{64}$'),
    (1, 'previous', 'string', true, '^[0-9a-f]{64}$');
end;
comment on function certvakt.entry_fields is 'The fields of an entry beside schema_version, for each version that is known.';

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
  -- What a later version of certvakt wrote is kept as it is, if it has a canonical text.
  if version > (select max(f.schema_version) from certvakt.entry_fields() f) then
    return case when not certvakt.is_canonical(entry) then 'a key is not in small letters, or a number is not whole' end;
  end if;
  select min(coalesce(f.field, m.key) || case
      when f.field is null then ' is no field of it'
      when m.key is null then ' is missing'
      else ' has another form' end)
  into fault
  from (select * from certvakt.entry_fields() f where f.schema_version = version) f
  full join (select * from jsonb_each(entry) where key <> 'schema_version') m on m.key = f.field
  where f.field is null or m.key is null
    or case jsonb_typeof(m.value)
      when 'null' then not f.may_be_null
      else jsonb_typeof(m.value) <> f.json_type or entry ->> f.field !~ f.form end;
  return fault;
end
$$;
comment on function certvakt.entry_fault is
  'What is wrong with an entry of a history; null: nothing, or it is of a version that is not known here.';

create function certvakt.new_entry(
  said jsonb, kind text, expires_before timestamptz, expires_after timestamptz, told jsonb, words text, previous text)
returns jsonb
language sql volatile set search_path = ''
begin atomic
  select jsonb_build_object(
    'schema_version', 1,
    'id', coalesce(said ->> 'id', certvakt.uuid_v7()::text),
    'kind', kind,
    -- Asked while the row is locked, so the entries of a history follow each other in time.
    'at', certvakt.utc_text(clock_timestamp()),
    'actor', coalesce(certvakt.current_person()::text, said ->> 'actor'),
    'completed_on', said ->> 'completed_on',
    'expires_before', certvakt.utc_text(expires_before),
    'expires_after', certvakt.utc_text(expires_after),
    'told', told,
    'words', words,
    'previous', previous);
end;
comment on function certvakt.new_entry is 'An entry of the version that is written now.';

-- Where entries stand: three functions, so that they can stand somewhere else one day.
create function certvakt.entries_of(certification uuid, history jsonb) returns jsonb
language sql stable
return history;
comment on function certvakt.entries_of is
  'The whole history of a certification, of which `history` is what it holds itself.';
create function certvakt.length_of_history(certification uuid, history jsonb) returns integer
language sql stable
return jsonb_array_length(history);
comment on function certvakt.length_of_history is 'How many entries the history of a certification has.';
create function certvakt.append_to_history(certification uuid, organisation uuid, history jsonb, entries jsonb) returns jsonb
language plpgsql set search_path = '' as $$
begin
  return history || entries;
end
$$;
comment on function certvakt.append_to_history is 'What a certification holds itself after some more entries of its history.';

create function certvakt.kinds_of_change(
  expires_before timestamptz, expires_after timestamptz, status_before text, status_after text, said text)
returns text[]
language sql immutable parallel safe set search_path = ''
begin atomic
  select array_remove(array[
    case
      when expires_after is not distinct from expires_before then null
      -- Who makes the change knows better than the dates: a renewal to an earlier day, a correction to a later.
      when said in ('renewed', 'corrected') then said
      when expires_after is null or expires_after > expires_before then 'renewed'
      else 'corrected' end,
    case
      when status_after = 'suspended' and said = 'withdrawn' then 'withdrawn'
      when (status_after = 'suspended') = (status_before = 'suspended') then null
      when status_after = 'suspended' then 'suspended'
      else 'reinstated' end], null);
end;
comment on function certvakt.kinds_of_change is 'What a change of a certification is, in the order in which it is told of.';

create function certvakt.keep_history() returns trigger
language plpgsql security definer set search_path = '' as $$
declare
  said jsonb := coalesce(nullif(current_setting('certvakt.change', true), ''), '{}')::jsonb;
  kinds text[] := certvakt.kinds_of_change(old.expires_at, new.expires_at, old.status, new.status, said ->> 'kind');
  long integer := coalesce((select i.long_history from certvakt.installation i), 500);
  length integer := certvakt.length_of_history(old.id, old.renewal_history) + cardinality(kinds);
  words jsonb;
  salt bytea;
  entry jsonb := old.renewal_history -> -1;
  entries jsonb := '[]';
  kind text;
begin
  if kinds = '{}' then
    return new;
  end if;
  -- The register of another day, or an app, does not undo what somebody decided.
  if old.status = 'suspended' and entry ->> 'kind' = 'withdrawn' and kinds <> '{reinstated}' then
    raise exception 'this certification was withdrawn: reinstate it first, if that was a mistake'
      using errcode = 'restrict_violation', constraint = 'certification_withdrawn';
  end if;
  if length > 10 * long then
    raise exception 'the history of this certification is full: it has % entries', length - cardinality(kinds)
      using errcode = 'program_limit_exceeded', constraint = 'history_full',
        hint = 'Find out what changes it so often; then raise certvakt.installation.long_history.';
  end if;
  foreach kind in array kinds loop
    words := null;
    if said ->> 'evidence' is not null or said ->> 'note' is not null then
      words := jsonb_build_object('evidence', said ->> 'evidence', 'note', said ->> 'note');
      salt := uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid());
    end if;
    entry := certvakt.new_entry(said, kind, old.expires_at, new.expires_at,
      -- What was told in the cycle that it closes.
      case when kind in ('renewed', 'withdrawn') then (
        select coalesce(jsonb_agg(t.stage order by t.first), '[]')
        from (
          select l.notification_type as stage, min(l.id) as first from public.cert_notification_log l
          where l.certification_id = old.id and l.sent_at >= coalesce((
            select max(c.changed_at) from certvakt.certification_changes c
            where c.organisation_id = old.organisation_id and c.certification_id = old.id
              and c.kind in ('recorded', 'renewed')), old.created_at)
          group by l.notification_type) t) end,
      encode(sha256(salt || convert_to(certvakt.canonical(words), 'UTF8')), 'hex'), certvakt.entry_hash(entry));
    if certvakt.entry_fault(entry) is not null then
      raise exception 'this is no entry of a history: %', certvakt.entry_fault(entry)
        using errcode = 'check_violation', constraint = 'history_form';
    end if;
    if words is not null then
      insert into certvakt.renewal_words (entry_id, certification_id, salt, evidence, note)
      values ((entry ->> 'id')::uuid, old.id, salt, said ->> 'evidence', said ->> 'note');
    end if;
    entries := entries || entry;
    -- An id given is the first entry's.
    said := said - 'id' - 'evidence' - 'note';
  end loop;
  new.renewal_history := certvakt.append_to_history(old.id, old.organisation_id, old.renewal_history, entries);
  if length > long then
    insert into certvakt.long_histories (certification_id) values (old.id) on conflict do nothing;
  end if;
  return new;
end
$$;

create function certvakt.refuse_history_rewrite() returns trigger
language plpgsql set search_path = '' as $$
begin
  if new.renewal_history is distinct from old.renewal_history then
    raise exception 'a history is append-only: what was written stays as it was written'
      using errcode = 'restrict_violation', hint = 'Change the date or the status: the entry comes of itself.';
  end if;
  return new;
end
$$;

create function certvakt.check_history() returns trigger
language plpgsql set search_path = '' as $$
declare
  wrong record;
begin
  select e.number, certvakt.entry_fault(e.entry) as fault into wrong
  from jsonb_array_elements(new.renewal_history) with ordinality e (entry, number)
  where certvakt.entry_fault(e.entry) is not null limit 1;
  if found then
    raise exception 'entry % of this history is none: %', wrong.number, wrong.fault
      using errcode = 'check_violation', constraint = 'history_form';
  end if;
  return new;
end
$$;

-- Triggers fire in the order of their names: what is refused is refused before anything is written.
create trigger check_history before insert on public.peer_mentor_certifications
  for each row when (new.renewal_history <> '[]') execute function certvakt.check_history();
create trigger a_refuse_history_rewrite before update of renewal_history on public.peer_mentor_certifications
  for each row execute function certvakt.refuse_history_rewrite();
create trigger keep_history before update of expires_at, status on public.peer_mentor_certifications
  for each row when (
    new.expires_at is distinct from old.expires_at or new.status = 'suspended' or old.status = 'suspended')
  execute function certvakt.keep_history();
-- Also while a session plays the part of a replica.
alter table public.peer_mentor_certifications enable always trigger a_refuse_history_rewrite;

-- One way for whoever says more of a change than what it is: the words go with the statement, and leave with it.
create function certvakt.change_certification(
  certification uuid, seen timestamptz, expires_at timestamptz, status text, said jsonb)
returns boolean
language plpgsql set search_path = '' as $$
declare
  changed integer;
begin
  perform set_config('certvakt.change', said::text, true);
  update public.peer_mentor_certifications c
  set expires_at = change_certification.expires_at, status = change_certification.status
  where c.id = certification and c.updated_at = seen;
  get diagnostics changed = row_count;
  perform set_config('certvakt.change', '', true);
  return changed > 0;
end
$$;
comment on function certvakt.change_certification is
  'Changes a certification as it was seen, with the rights of the caller; false: it has changed meanwhile, or is not theirs to change. Said may be: kind, id of the entry, evidence, note, completed_on, actor.';

-- The same words decide which cycle a change belongs to. Only its owner may replace a function.
set local role certvakt_definer;
create or replace function certvakt.record_certification_changes() returns trigger
language plpgsql security definer set search_path = '' as $$
declare
  said text := nullif(current_setting('certvakt.change', true), '')::jsonb ->> 'kind';
begin
  insert into certvakt.certification_changes (organisation_id, certification_id, kind, expires_before, expires_after)
  select n.organisation_id, n.id,
    case k.kind when 'withdrawn' then 'suspended' else coalesce(k.kind, 'reinstated') end, o.expires_at, n.expires_at
  from old_rows o join new_rows n on n.id = o.id
  cross join lateral (
    select (certvakt.kinds_of_change(o.expires_at, n.expires_at, o.status, n.status, said))[1] as kind) k
  where k.kind is not null
     -- Put back by hand: the next run looks whether that is true.
     or (o.status = 'expired' and n.status = 'active');
  return null;
end
$$;
reset role;

-- People renew and correct as well. What has lapsed is renewed, not talked back into being valid, and nobody
-- says by hand that something has lapsed.
grant update (expires_at) on public.peer_mentor_certifications to authenticated;
drop policy people_keep on public.peer_mentor_certifications;
create policy people_keep on public.peer_mentor_certifications for update to authenticated
  using (chapter_id = any ((select certvakt.visible_chapters())::uuid[]))
  with check (chapter_id = any ((select certvakt.visible_chapters())::uuid[]));
create function certvakt.refuse_wishes() returns trigger
language plpgsql set search_path = '' as $$
begin
  -- A withdrawal is no wish.
  if current_user = 'authenticated' and (
    new.status <> 'suspended'
    or nullif(current_setting('certvakt.change', true), '')::jsonb ->> 'kind' is distinct from 'withdrawn') then
    raise exception 'whether a certification has lapsed, its date says: renew it instead'
      using errcode = 'insufficient_privilege', constraint = 'certification_lapsed';
  end if;
  return new;
end
$$;
create trigger b_refuse_wishes before update of status on public.peer_mentor_certifications
  for each row when (
    new.status <> old.status and (
      new.status = 'expired' or old.status = 'expired' and new.expires_at is not distinct from old.expires_at))
  execute function certvakt.refuse_wishes();

create function certvakt.history_of(certification uuid)
returns table (number bigint, entry jsonb, evidence text, note text, is_erased boolean)
language sql stable security definer set search_path = ''
begin atomic
  select e.number, e.entry, w.evidence, w.note, e.entry ->> 'words' is not null and w.entry_id is null
  from certvakt.certification_details(array[history_of.certification]) seen
  join public.peer_mentor_certifications c on c.id = seen.id
  cross join lateral jsonb_array_elements(certvakt.entries_of(c.id, c.renewal_history)) with ordinality e (entry, number)
  left join certvakt.renewal_words w on w.entry_id::text = e.entry ->> 'id' and w.certification_id = c.id;
end;
comment on function certvakt.history_of is
  'The history of a certification, the oldest entry first, with what was written about it; nothing of one that who is asking may not see.';

-- How far back the log of notices reaches: before that, what was told is known from the histories alone.
alter table certvakt.installation add column log_deleted_before timestamptz;
comment on column certvakt.installation.log_deleted_before is
  'Notices recorded before this may have been deleted for their age; null: none has been.';
create policy owner_notes on certvakt.installation to current_user using (true) with check (true);
-- Until today nobody noted it, and 180 days are kept in any case.
insert into certvakt.installation as i (log_deleted_before) values (now() - interval '180 days')
on conflict (only_row) do update set log_deleted_before = excluded.log_deleted_before;
create or replace function certvakt.delete_old_notices(older_than interval, batch integer) returns bigint
language plpgsql security definer set search_path = '' as $$
declare
  deleted bigint;
begin
  -- A stage stays current for at most 90 days; a key must outlive it by far, or a notice could be
  -- recorded again.
  if older_than is null or now() - older_than > now() - interval '180 days' then
    raise exception 'notices are kept for at least 180 days' using errcode = 'invalid_parameter_value';
  end if;
  delete from public.cert_notification_log
  where id in (
    select l.id from public.cert_notification_log l
    where l.sent_at < now() - older_than
    limit batch
  );
  get diagnostics deleted = row_count;
  if deleted > 0 then
    insert into certvakt.installation as i (log_deleted_before) values (now() - older_than)
    on conflict (only_row) do update set log_deleted_before = greatest(i.log_deleted_before, excluded.log_deleted_before);
  end if;
  return deleted;
end
$$;

create function certvakt.is_made(certification uuid, entry text) returns boolean
language sql stable security definer set search_path = ''
begin atomic
  select exists (
    select from public.peer_mentor_certifications c
    where c.id = certification
      and certvakt.entries_of(c.id, c.renewal_history) @> jsonb_build_array(jsonb_build_object('id', entry)));
end;
comment on function certvakt.is_made is
  'Whether the history of a certification has an entry of that id: whether a request that made it came before.';
revoke all on function certvakt.is_made(uuid, text) from public, anon, service_role;
grant execute on function certvakt.is_made(uuid, text) to certvakt_registrar, authenticated;

do $$
declare
  own text;
begin
  foreach own in array array['keep_history()', 'refuse_history_rewrite()', 'check_history()', 'refuse_wishes()',
      'new_entry(jsonb, text, timestamptz, timestamptz, jsonb, text, text)', 'canonical(jsonb)', 'is_canonical(jsonb)', 'entry_hash(jsonb)',
      'utc_text(timestamptz)', 'entry_fields()', 'entry_fault(jsonb)',
      'kinds_of_change(timestamptz, timestamptz, text, text, text)', 'entries_of(uuid, jsonb)',
      'length_of_history(uuid, jsonb)', 'append_to_history(uuid, uuid, jsonb, jsonb)'] loop
    execute format('revoke all on function certvakt.%s from public, anon, authenticated, service_role', own);
    execute format('grant execute on function certvakt.%s to certvakt_definer', own);
  end loop;
end
$$;
revoke all on function certvakt.change_certification(uuid, timestamptz, timestamptz, text, jsonb) from public, anon, service_role;
grant execute on function certvakt.change_certification(uuid, timestamptz, timestamptz, text, jsonb)
  to certvakt_registrar, authenticated;
revoke all on function certvakt.history_of(uuid) from public, anon, service_role;
grant execute on function certvakt.history_of(uuid) to authenticated;
grant execute on function certvakt.entry_fault(jsonb), certvakt.entry_hash(jsonb), certvakt.canonical(jsonb),
  certvakt.is_canonical(jsonb), certvakt.entry_fields(), certvakt.entries_of(uuid, jsonb) to certvakt_worker, certvakt_registrar, service_role;
alter function certvakt.is_made(uuid, text) owner to certvakt_definer;
alter function certvakt.history_of(uuid) owner to certvakt_definer;
alter function certvakt.keep_history() owner to certvakt_definer;
