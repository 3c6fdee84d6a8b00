-- The roles, the schema, and the objects that every later file needs.

set local lock_timeout = '5s';
set local statement_timeout = '60s';

-- Roles belong to the whole server. Another database on it may have created them already. Supabase creates anon,
-- authenticated and service_role.
do $$
declare
  wanted text;
begin
  foreach wanted in array array[
    'anon', 'authenticated', 'service_role',
    'certvakt_worker', 'certvakt_registrar', 'certvakt_auth', 'certvakt_definer', 'certvakt_viewer'
  ] loop
    if not exists (select from pg_catalog.pg_roles where rolname = wanted) then
      begin
        execute pg_catalog.format('create role %I nologin noinherit', wanted);
      exception when duplicate_object or unique_violation then
        null; -- A migration of another database on this server has just created it.
      end;
    end if;
  end loop;

  -- The migrating role must be able to SET ROLE to these roles, and to make them owners of functions and of a view. From
  -- PostgreSQL 16 on, that is an option of the grant. The migrating role does not inherit their privileges.
  foreach wanted in array array[
    'certvakt_worker', 'certvakt_registrar', 'certvakt_auth', 'certvakt_definer', 'certvakt_viewer', 'authenticated'
  ] loop
    if pg_catalog.current_setting('server_version_num')::int < 160000 then
      if not pg_catalog.pg_has_role(current_user, wanted, 'MEMBER') then
        execute pg_catalog.format('grant %I to current_user', wanted);
      end if;
    elsif not pg_catalog.pg_has_role(current_user, wanted, 'SET') then
      execute pg_catalog.format('grant %I to current_user with inherit false, set true', wanted);
    end if;
  end loop;
end
$$;

-- `certvakt migrate` creates the schema before the first migration, because its ledger is there.
create schema if not exists certvakt;
comment on schema certvakt is
  'All objects of certvakt except the two public tables. Do not expose it to a REST API.';
revoke all on schema certvakt from public, anon, authenticated;
grant usage on schema certvakt to certvakt_worker, certvakt_registrar, certvakt_auth, service_role, authenticated;
-- PostgreSQL requires CREATE of the new owner of a function or a view.
grant usage, create on schema certvakt to certvakt_definer, certvakt_viewer;

-- The ledger, in the format of sqlx. The service reads it and refuses a schema that it does not know, so the table must
-- exist if the Supabase CLI applies the migrations, too.
create table if not exists certvakt.schema_migrations (
  version bigint primary key,
  description text not null,
  installed_on timestamptz not null default now(),
  success boolean not null,
  checksum bytea not null,
  execution_time bigint not null
);
revoke all on certvakt.schema_migrations from public, anon, authenticated, service_role;
grant select on certvakt.schema_migrations to certvakt_worker, certvakt_registrar;

-- Hosted platforms install extensions in this schema. An extension that is installed in another schema stays there.
create schema if not exists extensions;
create extension if not exists pg_trgm with schema extensions;

-- PostgreSQL 18 has a function for this, uuidv7().
create function certvakt.uuid_v7() returns uuid
language plpgsql volatile parallel unsafe set search_path = '' as $$
begin
  -- The time in milliseconds, the version, and the last part of a version 4 UUID: the variant and random bits.
  return (lpad(to_hex(floor(date_part('epoch', clock_timestamp()) * 1000)::bigint), 12, '0') || '-7'
    || substr(gen_random_uuid()::text, 16))::uuid;
end
$$;
comment on function certvakt.uuid_v7 is
  'Returns a version 7 UUID (RFC 9562, section 5.7). It begins with the time in milliseconds, so rows of the same time are neighbours in an index.';
revoke all on function certvakt.uuid_v7() from public, anon, authenticated, service_role;
grant execute on function certvakt.uuid_v7()
  to certvakt_worker, certvakt_registrar, certvakt_auth, certvakt_definer, service_role, authenticated;

-- Text must not contain characters that change how the text around them is displayed. PostgreSQL evaluates this function
-- once for each statement, because it is immutable and has no arguments. A function of the text would run for each row.
create function certvakt.forbidden_characters() returns text
language sql immutable parallel safe set search_path = ''
return '[\u0001-\u001F\u007F-\u009F\u061C\u200E\u200F\u2028-\u202E\u2066-\u2069]';
comment on function certvakt.forbidden_characters is
  'Returns a regular expression that matches control characters (C0, C1), line separators and controls of writing direction.';
revoke all on function certvakt.forbidden_characters() from public, anon, authenticated, service_role;
-- PostgreSQL evaluates check constraints with the privileges of the role that writes the row.
grant execute on function certvakt.forbidden_characters()
  to certvakt_worker, certvakt_registrar, certvakt_definer, certvakt_auth, service_role, authenticated;

-- A database with the locale C changes the case of ASCII letters only, and not every server has ICU.
create function certvakt.folded(name text) returns text
language plpgsql immutable strict parallel safe set search_path = '' as $$
begin
  return replace(case
    when octet_length(name) = length(name) then lower(name collate "C")
    else translate(
      lower(replace(replace(replace(replace(replace(replace(replace(name,
        'Æ', 'ae'), 'æ', 'ae'), 'Œ', 'oe'), 'œ', 'oe'), 'ß', 'ss'), 'Þ', 'th'), 'þ', 'th') collate "C"),
      'ÀÁÂÃÄÅÇÈÉÊËÌÍÎÏÐÑÒÓÔÕÖØÙÚÛÜÝàáâãäåçèéêëìíîïðñòóôõöøùúûüýÿĀāĂăĄąĆćĈĉĊċČčĎďĐđĒēĔĕĖėĘęĚěĜĝĞ' ||
      'ğĠġĢģĤĥĨĩĪīĬĭĮįİĴĵĶķĹĺĻļĽľŁłŃńŅņŇňŊŋŌōŎŏŐőŔŕŖŗŘřŚśŜŝŞşŠšŢţŤťŦŧŨũŪūŬŭŮůŰűŲųŴŵŶŷŸŹźŻżŽž'
      -- Combining accents, which follow their letters, are removed.
      || U&'\0300\0301\0302\0303\0304\0306\0307\0308\030A\030B\030C\0323\0327\0328',
      'aaaaaaceeeeiiiidnoooooouuuuyaaaaaaceeeeiiiidnoooooouuuuyyaaaaaaccccccccddddeeeeeeeeeeggg' ||
      'ggggghhiiiiiiiiijjkkllllllllnnnnnnnnoooooorrrrrrssssssssttttttuuuuuuuuuuuuwwyyyzzzzzz')
  end, 'aa', 'a');
end
$$;
comment on function certvakt.folded is
  'Returns a name in lower-case ASCII for searches: å and aa become a, ø becomes o, æ becomes ae. Letters of other scripts are only lower-cased.';
revoke all on function certvakt.folded(text) from public, anon, authenticated, service_role;
-- PostgreSQL computes a generated column with the privileges of the role that writes the row.
grant execute on function certvakt.folded(text) to certvakt_worker, certvakt_registrar, certvakt_definer, authenticated;

-- Letters after z are characters after z in ASCII here, which certvakt.folded leaves as they are.
-- A line feed sorts before every character of a name, so all names with one family name stay together.
create function certvakt.alphabetical(name text, family_name text default null) returns bytea
language plpgsql immutable parallel safe set search_path = '' as $$
begin
  return convert_to(certvakt.folded(translate(
    replace(replace(replace(coalesce(family_name || E'\n', '') || name, 'Aa', 'Å'), 'AA', 'Å'), 'aa', 'å'),
    'ÆæÄäØøÖöÅå', '{{{{||||}}')), 'UTF8');
end
$$;
comment on function certvakt.alphabetical is
  'Returns what sorts names as the Norwegian alphabet does, in any collation: æ, ø and å come last, aa is å, and case and accents do not count. A name with a family name sorts by the family name, then by the whole name.';
revoke all on function certvakt.alphabetical(text, text) from public, anon, authenticated, service_role;
grant execute on function certvakt.alphabetical(text, text) to certvakt_worker, certvakt_registrar, certvakt_definer, authenticated;

create function certvakt.calling_role() returns text
language sql stable parallel safe set search_path = ''
return coalesce(nullif(current_setting('role', true), 'none'), session_user);
comment on function certvakt.calling_role is
  'Returns the role of the session, inside a SECURITY DEFINER function too.';
revoke all on function certvakt.calling_role() from public, anon, authenticated, service_role;
grant execute on function certvakt.calling_role()
  to certvakt_worker, certvakt_registrar, certvakt_auth, certvakt_definer, service_role;

-- Rows record who ran the administrative command that wrote them: the account of the operating system and the host. The
-- command line sets `certvakt.operator` in each of its transactions.
create function certvakt.operator() returns text
language sql stable parallel safe set search_path = ''
return case when certvakt.calling_role() in ('certvakt_registrar', 'certvakt_worker')
  then nullif(current_setting('certvakt.operator', true), '') end;
comment on function certvakt.operator is
  'Returns who runs the command of this transaction, as account@host. Null outside a command.';
revoke all on function certvakt.operator() from public, anon, authenticated, service_role;
-- Columns have it as their default, which PostgreSQL evaluates with the privileges of the role that writes the row.
grant execute on function certvakt.operator()
  to certvakt_worker, certvakt_registrar, certvakt_auth, certvakt_definer;

create table certvakt.command_log (
  id bigint generated always as identity primary key,
  at timestamptz not null default now(),
  operator text not null,
  command text not null
);
comment on table certvakt.command_log is
  'Administrative commands that changed data. Each is recorded in the transaction of its first change; a command that works in parallel can have several rows. No role may change a row.';
comment on column certvakt.command_log.operator is 'Who ran the command, as account@host; "setup URL" for the first run in a browser; "person" and their id for an administrator who erased somebody on a page.';
comment on column certvakt.command_log.command is 'The command, such as person opt-out, without its arguments, because they can identify people.';
alter table certvakt.command_log enable row level security;
alter table certvakt.command_log force row level security;
revoke all on certvakt.command_log from public, anon, authenticated, service_role;
grant select on certvakt.command_log to certvakt_worker;
create policy worker_reads on certvakt.command_log for select to certvakt_worker using (true);
grant insert (operator, command) on certvakt.command_log to certvakt_worker, certvakt_registrar;
create policy worker_logs on certvakt.command_log for insert to certvakt_worker with check (operator = (select certvakt.operator()));
create policy registrar_logs on certvakt.command_log for insert to certvakt_registrar
  with check (operator = (select certvakt.operator()));

create table certvakt.installation (
  only_row boolean primary key default true constraint installation_only_row check (only_row),
  rehearsal boolean not null default false,
  -- squawk-ignore prefer-bigint-over-int
  long_history integer not null default 500
    constraint installation_long_history_range check (long_history between 1 and 10000),
  log_deleted_before timestamptz,
  setup_hash bytea constraint installation_setup_hash_length check (octet_length(setup_hash) = 32),
  setup_ends_at timestamptz
);
comment on column certvakt.installation.rehearsal is
  'Whether CERTVAKT_NOW may set the date. A rehearsal database stays one.';
comment on column certvakt.installation.long_history is
  'The number of entries from which a history counts as long. A history of ten times as many accepts no more.';
comment on column certvakt.installation.log_deleted_before is
  'Notices recorded before this time may have been deleted because of their age.';
comment on column certvakt.installation.setup_hash is
  'The SHA-256 of the token with which the first organisation can be set up in a browser. Null once an organisation was added.';
comment on column certvakt.installation.setup_ends_at is 'The time from which that token is no longer accepted.';
alter table certvakt.installation enable row level security;
alter table certvakt.installation force row level security;
revoke all on certvakt.installation from public, anon, authenticated, service_role;
grant select on certvakt.installation to certvakt_worker;
create policy worker_manages on certvakt.installation to certvakt_worker using (true) with check (true);
grant select, insert, update on certvakt.installation to certvakt_registrar;
create policy registrar_manages on certvakt.installation to certvakt_registrar using (true) with check (true);
grant select (rehearsal, long_history) on certvakt.installation to certvakt_definer;
create policy definer_reads on certvakt.installation for select to certvakt_definer using (true);
grant select (rehearsal) on certvakt.installation to certvakt_auth;
create policy auth_reads on certvakt.installation for select to certvakt_auth using (true);
-- certvakt.delete_old_notices runs as the owner and updates log_deleted_before.
create policy owner_notes on certvakt.installation to current_user using (true) with check (true);
-- A new log has no notices of earlier times, and the last 180 days are always kept.
insert into certvakt.installation (log_deleted_before) values (now() - interval '180 days');

create function certvakt.moment() returns timestamptz
language plpgsql stable set search_path = '' as $$
begin
  return case when exists (select from certvakt.installation i where i.rehearsal)
    then coalesce(nullif(current_setting('certvakt.now', true), '')::timestamptz, now())
    else now() end;
end
$$;
comment on function certvakt.moment is 'Returns the time for all decisions that depend on the date. In a rehearsal database, the setting certvakt.now replaces it.';
revoke all on function certvakt.moment() from public, anon, authenticated, service_role;
grant execute on function certvakt.moment() to certvakt_worker, certvakt_auth, certvakt_definer;

-- The trigger function of append-only tables.
create function certvakt.refuse_log_rewrite() returns trigger
language plpgsql set search_path = '' as $$
begin
  raise exception '% is append-only: its rows cannot be changed', tg_table_name
    using errcode = 'restrict_violation', hint = '`certvakt cleanup` deletes old rows.';
end
$$;
revoke all on function certvakt.refuse_log_rewrite() from public, anon, authenticated, service_role;
