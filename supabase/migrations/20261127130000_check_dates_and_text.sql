-- What no register, app or person may store: days that no calendar has, and characters that change how the text
-- around them is shown. And what no app may say of a change: when it was made, and by whom.

set local lock_timeout = '5s';
set local statement_timeout = '60s';

create function certvakt.is_on_calendar(value text) returns boolean
language sql immutable strict parallel safe
return case
  when value !~ '^[0-9]{4}-[0-9]{2}-[0-9]{2}(T|$)' then true
  when value !~ '^[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])(T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9][.][0-9]{6}Z)?$'
    or value ~ '^0000' then false
  else substr(value, 9, 2)::integer <= extract(day from
    make_date(substr(value, 1, 4)::integer, substr(value, 6, 2)::integer, 1) + interval '1 month - 1 day')
end;
comment on function certvakt.is_on_calendar is
  'Whether a text that begins like a day or an instant is one that the calendar has; true of any other text.';

create function certvakt.is_plain(value text) returns boolean
language sql immutable strict parallel safe
return value !~ '[\u0001-\u001F\u007F-\u009F\u061C\u200E\u200F\u2028-\u202E\u2066-\u2069]';
comment on function certvakt.is_plain is
  'Whether a text is free of control characters (C0, C1), line separators and controls of writing direction.';

create function certvakt.calling_role() returns text
language sql stable parallel safe set search_path = ''
return coalesce(nullif(current_setting('role', true), 'none'), session_user);
comment on function certvakt.calling_role is
  'The role that sent the statement, in a function of another owner as well.';

create or replace function certvakt.entry_fault(entry jsonb) returns text
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

create or replace function certvakt.new_entry(
  said jsonb, kind text, expires_before timestamptz, expires_after timestamptz, told jsonb, words text, previous text)
returns jsonb
language sql volatile set search_path = ''
begin atomic
  select jsonb_build_object(
    'schema_version', 2,
    'id', coalesce(said ->> 'id', certvakt.uuid_v7()::text),
    'kind', kind,
    -- Asked while the row is locked, so the entries of a history follow each other in time.
    'at', certvakt.utc_text(clock_timestamp()),
    -- Claims count only where the server checked a token, and what is said only where the register of a known person
    -- is taken in: an app's backend can set both.
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

create or replace function certvakt.check_history() returns trigger
language plpgsql set search_path = '' as $$
declare
  wrong record;
begin
  select e.number, f.fault into wrong
  from jsonb_array_elements(new.renewal_history) with ordinality e (entry, number)
  cross join lateral (select coalesce(certvakt.entry_fault(e.entry),
    case when certvakt.calling_role() = 'service_role' and e.entry ->> 'actor' is not null
      then 'no app says which person made a change' end) as fault) f
  where f.fault is not null limit 1;
  if found then
    raise exception 'entry % of this history is none: %', wrong.number, wrong.fault
      using errcode = 'check_violation', constraint = 'history_form';
  end if;
  return new;
end
$$;

-- When a row was made and changed, the database says.
revoke insert, update on public.peer_mentor_certifications from service_role;
grant insert (id, organisation_id, chapter_id, peer_mentor_id, certification_type, external_id, issued_at, expires_at, status,
    renewal_history),
  update (id, organisation_id, chapter_id, peer_mentor_id, certification_type, external_id, issued_at, expires_at, status,
    renewal_history)
  on public.peer_mentor_certifications to service_role;

alter table public.peer_mentor_certifications
  add constraint peer_mentor_certifications_issued_at_range
    check (issued_at >= '1900-01-01' and issued_at < '9999-01-01') not valid,
  add constraint peer_mentor_certifications_external_id_plain check (certvakt.is_plain(external_id)) not valid;
alter table public.cert_notification_log
  add constraint cert_notification_log_sent_at_finite check (isfinite(sent_at)) not valid;
alter table certvakt.partner_reports
  add constraint partner_reports_days_finite check (isfinite(completed_on) and isfinite(valid_until)) not valid,
  add constraint partner_reports_event_id_plain check (certvakt.is_plain(event_id)) not valid,
  add constraint partner_reports_partner_key_plain check (certvakt.is_plain(partner_key)) not valid;
alter table certvakt.listings
  add constraint listings_partner_key_plain check (certvakt.is_plain(partner_key)) not valid;
alter table certvakt.organisations add constraint organisations_name_plain check (certvakt.is_plain(name)) not valid;
alter table certvakt.chapters add constraint chapters_name_plain check (certvakt.is_plain(name)) not valid;
alter table certvakt.certification_types add constraint certification_types_name_plain check (certvakt.is_plain(name)) not valid;
alter table certvakt.people add constraint people_name_plain check (certvakt.is_plain(name)) not valid;
alter table certvakt.person_names add constraint person_names_name_plain check (certvakt.is_plain(name)) not valid;
alter table certvakt.contact_points
  add constraint contact_points_address_plain check (certvakt.is_plain(address)) not valid,
  add constraint contact_points_installation_plain check (certvakt.is_plain(installation)) not valid;
alter table certvakt.identities
  add constraint identities_plain check (certvakt.is_plain(issuer) and certvakt.is_plain(subject)) not valid;
alter table certvakt.access_closures
  add constraint access_closures_reason_plain check (certvakt.is_plain(reason)) not valid;
-- A note may have lines.
alter table certvakt.renewal_words
  add constraint renewal_words_evidence_plain check (certvakt.is_plain(evidence)) not valid,
  add constraint renewal_words_note_plain check (certvakt.is_plain(translate(note, e'\n\r\t', ''))) not valid;

revoke all on function certvakt.is_on_calendar(text), certvakt.calling_role() from public, anon, authenticated, service_role;
grant execute on function certvakt.is_on_calendar(text), certvakt.calling_role()
  to certvakt_worker, certvakt_registrar, certvakt_definer, service_role;
-- Checks run with the rights of the role that writes the row.
revoke all on function certvakt.is_plain(text) from public, anon;
grant execute on function certvakt.is_plain(text)
  to certvakt_worker, certvakt_registrar, certvakt_definer, certvakt_doorkeeper, service_role, authenticated;
