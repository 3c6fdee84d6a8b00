-- The roles that every later object is granted to, and the schema that Supabase's REST never sees.

set local lock_timeout = '5s';
set local statement_timeout = '60s';

-- Roles belong to the whole server: another database on it, or Supabase, may have made them already.
-- anon, authenticated and service_role are the platform's on Supabase and are only filled in where
-- they are absent.
do $$
declare
  wanted text;
begin
  foreach wanted in array array[
    'anon', 'authenticated', 'service_role',
    'certvakt_worker', 'certvakt_registrar', 'certvakt_doorkeeper', 'certvakt_definer'
  ] loop
    if not exists (select from pg_catalog.pg_roles where rolname = wanted) then
      begin
        execute pg_catalog.format('create role %I nologin noinherit', wanted);
      exception when duplicate_object or unique_violation then
        null; -- made meanwhile by a migration of another database on this server
      end;
    end if;
  end loop;

  -- Whoever migrates must be able to SET ROLE to the service's roles and to that of people, and to give
  -- functions to the definer. From PostgreSQL 16 on that is a right of its own, and it need not inherit what they may do.
  foreach wanted in array array[
    'certvakt_worker', 'certvakt_registrar', 'certvakt_doorkeeper', 'certvakt_definer', 'authenticated'
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

create schema if not exists certvakt;
comment on schema certvakt is
  'Everything of certvakt but the two public tables. Not exposed to REST.';

revoke all on schema certvakt from public, anon, authenticated;
grant usage on schema certvakt to certvakt_worker, certvakt_registrar, certvakt_doorkeeper, service_role;
-- CREATE is what PostgreSQL asks of the role that a function is given to.
grant usage, create on schema certvakt to certvakt_definer;

-- PostgreSQL 18 has one of its own.
create function certvakt.uuid_v7() returns uuid
language sql volatile parallel safe
begin atomic
  -- The version, 7, takes the place of 4: two bits of the seventh byte more. What remains of it is random.
  select encode(
    set_bit(set_bit(
      overlay(uuid_send(gen_random_uuid()) placing
        substring(int8send((extract(epoch from clock_timestamp()) * 1000)::bigint) from 3) from 1 for 6),
      52, 1), 53, 1),
    'hex')::uuid;
end;
comment on function certvakt.uuid_v7 is
  'A UUID that begins with the time in milliseconds (RFC 9562, section 5.7): rows of one time lie together in an index.';
revoke all on function certvakt.uuid_v7() from public, anon, authenticated;
grant execute on function certvakt.uuid_v7() to certvakt_registrar, certvakt_doorkeeper, service_role;
