-- Attempts of a person with few permissions to see or change more.
begin;
select plan(32);
\if :{?world}
\else
  \set world fixtures/world.psql
\endif
\ir :world
\ir fixtures/certified.psql

grant select on pg_temp.login to public;
create function pg_temp.claims(who text) returns jsonb language sql as $$
  select jsonb_build_object('iss', l.issuer, 'sub', l.subject) from pg_temp.login l where l.kind = who
$$;
create function pg_temp.claim(claims jsonb) returns text language sql as $$
  select set_config('request.jwt.claims', claims::text, true)
$$;
-- A function of an app that a person may call and that reveals its arguments.
create function public.tell(expires_at timestamptz) returns boolean language plpgsql cost 0.000001 as $$
begin
  raise notice '%', expires_at;
  perform set_config('test.told', coalesce(current_setting('test.told', true), '') || '.', true);
  return true;
end
$$;
create temporary table seen as select count(*) as rows from public.peer_mentor_certifications where chapter_id in (
  '00000000-0000-4000-8000-0000000000a2', '00000000-0000-4000-8000-0000000000a4');
grant select on pg_temp.seen to public;
select pg_temp.claim(pg_temp.claims('coordinator'));
set local role authenticated;

-- Missing and invalid claims.
select set_config('request.jwt.claims', '', true);
select is_empty('select 1 from public.peer_mentor_certifications', 'no rows without claims');
select set_config('request.jwt.claims', 'null', true);
select is_empty('select 1 from public.peer_mentor_certifications', 'no rows with null as claims');
select set_config('request.jwt.claims', '[]', true);
select is_empty('select 1 from public.peer_mentor_certifications', 'no rows with a list as claims');
select pg_temp.claim(pg_temp.claims('coordinator') - 'iss');
select is_empty('select 1 from public.peer_mentor_certifications', 'no rows without an issuer');
select pg_temp.claim(pg_temp.claims('coordinator') || jsonb_build_object('iss', (pg_temp.claims('coordinator') ->> 'iss') || '/'));
select is_empty('select 1 from public.peer_mentor_certifications', 'no rows with another issuer');
select pg_temp.claim(pg_temp.claims('coordinator') || '{"sub": "Coordinator"}');
select is_empty('select 1 from public.peer_mentor_certifications', 'no rows with another subject');
select set_config('request.jwt.claims', 'coordinator', true);
select throws_ok('select 1 from public.peer_mentor_certifications', '22P02', null, 'claims that are not JSON are an error');
select pg_temp.claim(pg_temp.claims('coordinator'));

-- Claims other than the identity.
select pg_temp.claim(pg_temp.claims('coordinator') || '{"role": "service_role", "person_id": "00000000-0000-4000-8000-000000000002", "app_metadata": {"role": "org_admin"}}');
select is((select count(*) from public.peer_mentor_certifications), (select rows from pg_temp.seen), 'other claims grant no permission');

-- Changes of visible certifications.
select throws_ok($$update public.peer_mentor_certifications set chapter_id = '00000000-0000-4000-8000-0000000000a3'$$,
  '42501', null, 'no certification moves to another chapter');
select throws_ok($$update public.peer_mentor_certifications set organisation_id = '00000000-0000-4000-8000-0000000000b0'$$,
  '42501', null, 'no certification moves to another organisation');
select throws_ok($$update public.peer_mentor_certifications set renewal_history = '[]'$$, '42501', null, 'no history can be replaced');
savepoint renewed;
update public.peer_mentor_certifications set expires_at = '2099-01-01';
select is(
  (select string_agg(distinct right(renewal_history -> -1 ->> 'actor', 4), ' ') from public.peer_mentor_certifications
   where expires_at = '2099-01-01'), '0001', 'the history contains the person who changed the date');
rollback to savepoint renewed;
select throws_ok($$update public.peer_mentor_certifications set status = 'expired'$$, '42501', null, 'nobody can set the status expired');

reset role;
update public.peer_mentor_certifications set status = 'expired' where id = '00000000-0000-4000-8000-0000000200a4';
set local role authenticated;
select throws_ok($$update public.peer_mentor_certifications set status = 'active' where id = '00000000-0000-4000-8000-0000000200a4'$$,
  '42501', null, 'an expired certification cannot be set to active');
select throws_ok($$update public.peer_mentor_certifications set status = 'suspended' where id = '00000000-0000-4000-8000-0000000200a4'$$,
  '42501', null, 'an expired certification cannot be suspended and reinstated');
select is((select status from public.peer_mentor_certifications where id = '00000000-0000-4000-8000-0000000200a4'), 'expired',
  'an expired certification cannot be corrected to be valid');

-- Probes for hidden rows: existing and missing rows give the same error.
create function pg_temp.certify(chapter text, mentor text) returns text language sql as $$
  select format('insert into public.peer_mentor_certifications (organisation_id, chapter_id, peer_mentor_id, certification_type)
    values (''00000000-0000-4000-8000-0000000000a0'', ''00000000-0000-4000-8000-0000000000%s'', ''00000000-0000-4000-8000-%s'', ''type'')', chapter, mentor)
$$;
select throws_ok(pg_temp.certify('a2', '0000000100a3'), '42501', null, 'a person of another chapter is refused');
select throws_ok(pg_temp.certify('a2', '0000000100b1'), '42501', null, 'a person of another organisation is refused');
select throws_ok(pg_temp.certify('a2', '00000000dead'), '42501', null, 'a missing person is refused');
select throws_ok(pg_temp.certify('a3', '0000000100a3'), '42501', null, 'another chapter is refused');
select throws_ok(pg_temp.certify('ff', '0000000100a2'), '42501', null, 'a missing chapter is refused');
select throws_ok($$insert into public.peer_mentor_certifications (id, organisation_id, chapter_id, peer_mentor_id, certification_type)
  values ('00000000-0000-4000-8000-0000000200a3', '00000000-0000-4000-8000-0000000000a0', '00000000-0000-4000-8000-0000000000a2',
    '00000000-0000-4000-8000-0000000100a2', 'type') on conflict (id) do update set status = 'suspended'$$,
  '42501', null, 'people cannot choose ids, so no conflict reveals a hidden row');
select throws_ok($$insert into public.peer_mentor_certifications (organisation_id, chapter_id, peer_mentor_id, certification_type, external_id)
  values ('00000000-0000-4000-8000-0000000000a0', '00000000-0000-4000-8000-0000000000a2', '00000000-0000-4000-8000-0000000100a2', 'type', 'x')$$,
  '42501', null, 'people cannot choose a register''s id');

-- A function in WHERE that the planner prefers to call first.
select is((select count(*) from public.peer_mentor_certifications where public.tell(expires_at)), (select rows from pg_temp.seen),
  'the cheap function is called');
select is(length(current_setting('test.told')), (select rows::int from pg_temp.seen), 'the function receives only visible rows');

-- Objects that shadow ours.
reset role;
grant temporary on database :"DBNAME" to authenticated;
set local role authenticated;
create temporary table identities (issuer text, subject text, person_id uuid);
insert into pg_temp.identities
select l.issuer, l.subject, '00000000-0000-4000-8000-000000000002' from pg_temp.login l where l.kind = 'coordinator';
create temporary table profiles (id uuid, bruker uuid, navn text);
insert into pg_temp.profiles
select '00000000-0000-4000-8000-000000000002', '00000000-0000-4000-9000-000000000001', 'Coordinator';
create function pg_temp.current_person() returns uuid language sql as $$select '00000000-0000-4000-8000-000000000002'::uuid$$;
create function pg_temp.nullif(text, text) returns text language sql as $$select pg_temp.claims('administrator')::text$$;
set local search_path = pg_temp, certvakt, public, extensions;
select is((select count(*) from public.peer_mentor_certifications), (select rows from pg_temp.seen), 'shadowing objects have no effect');
set local search_path = public, extensions;

-- Sequence numbers of the access log: an unused number would look like a lost event.
select throws_ok($$select nextval('certvakt.access_numbers')$$, '42501', null, 'people cannot take a number of the access log');
select throws_ok('select certvakt.admission()', '42501', null, 'people cannot call admission()');

-- Ids of entries, which are derived from a request's key.
reset role;
select set_config('certvakt.change', '{"id": "00000000-0000-4000-8000-0000000e0000", "evidence": "x"}', true);
update public.peer_mentor_certifications set expires_at = '2027-06-20T20:00:00Z' where id = '00000000-0000-4000-8000-0000000200a3';
select pg_temp.claim(pg_temp.claims('coordinator'));
set local role authenticated;
select ok(not certvakt.has_entry('00000000-0000-4000-8000-0000000200a3', '00000000-0000-4000-8000-0000000e0000'),
  'an entry of a hidden history is invisible');
select set_config('certvakt.change', '{"id": "00000000-0000-4000-8000-0000000e0000", "evidence": "x"}', true);
select lives_ok($$update public.peer_mentor_certifications set expires_at = '2027-06-20T20:00:00Z'
  where id = '00000000-0000-4000-8000-0000000200a2'$$, 'choosing the id of a hidden entry causes no conflict');

-- Other roles.
select is_empty($$select rolname from pg_roles where rolname like 'certvakt%' and pg_has_role('authenticated', oid, 'MEMBER')$$,
  'people cannot switch to a role of the service');
select throws_ok('set local row_security = off; select 1 from public.peer_mentor_certifications', '42501', null, 'people cannot bypass the policies');

select * from finish();
rollback;
