-- What somebody tries who may see a little and wants to see more.
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
-- A function of an app's own, which a person may call, and which tells what it is given.
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

-- Nobody's claims, and claims that are none.
select set_config('request.jwt.claims', '', true);
select is_empty('select 1 from public.peer_mentor_certifications', 'no claims: nothing');
select set_config('request.jwt.claims', 'null', true);
select is_empty('select 1 from public.peer_mentor_certifications', 'claims of null: nothing');
select set_config('request.jwt.claims', '[]', true);
select is_empty('select 1 from public.peer_mentor_certifications', 'claims of a list: nothing');
select pg_temp.claim(pg_temp.claims('coordinator') - 'iss');
select is_empty('select 1 from public.peer_mentor_certifications', 'no issuer: nothing');
select pg_temp.claim(pg_temp.claims('coordinator') || jsonb_build_object('iss', (pg_temp.claims('coordinator') ->> 'iss') || '/'));
select is_empty('select 1 from public.peer_mentor_certifications', 'another issuer: nothing');
select pg_temp.claim(pg_temp.claims('coordinator') || '{"sub": "Coordinator"}');
select is_empty('select 1 from public.peer_mentor_certifications', 'another subject: nothing');
select set_config('request.jwt.claims', 'coordinator', true);
select throws_ok('select 1 from public.peer_mentor_certifications', '22P02', null, 'claims that are no JSON: an error');
select pg_temp.claim(pg_temp.claims('coordinator'));

-- Claims that claim more than who somebody is.
select pg_temp.claim(pg_temp.claims('coordinator') || '{"role": "service_role", "person_id": "00000000-0000-4000-8000-000000000002", "app_metadata": {"role": "org_admin"}}');
select is((select count(*) from public.peer_mentor_certifications), (select rows from pg_temp.seen), 'no claim gives a right');

-- Moving what one has.
select throws_ok($$update public.peer_mentor_certifications set chapter_id = '00000000-0000-4000-8000-0000000000a3'$$,
  '42501', null, 'nothing is moved to another chapter');
select throws_ok($$update public.peer_mentor_certifications set organisation_id = '00000000-0000-4000-8000-0000000000b0'$$,
  '42501', null, 'nor to another organisation');
select throws_ok($$update public.peer_mentor_certifications set renewal_history = '[]'$$, '42501', null, 'nor given another past');
savepoint renewed;
update public.peer_mentor_certifications set expires_at = '2099-01-01';
select is(
  (select string_agg(distinct right(renewal_history -> -1 ->> 'actor', 4), ' ') from public.peer_mentor_certifications
   where expires_at = '2099-01-01'), '0001', 'who makes one last has their name in its history');
rollback to savepoint renewed;
select throws_ok($$update public.peer_mentor_certifications set status = 'expired'$$, '42501', null, 'nor made to lapse');

reset role;
update public.peer_mentor_certifications set status = 'expired' where id = '00000000-0000-4000-8000-0000000200a4';
set local role authenticated;
select throws_ok($$update public.peer_mentor_certifications set status = 'active' where id = '00000000-0000-4000-8000-0000000200a4'$$,
  '42501', null, 'what has lapsed is not valid for the asking');
select throws_ok($$update public.peer_mentor_certifications set status = 'suspended' where id = '00000000-0000-4000-8000-0000000200a4'$$,
  '42501', null, 'nor suspended, to be reinstated');
select is((select status from public.peer_mentor_certifications where id = '00000000-0000-4000-8000-0000000200a4'), 'expired',
  'nor talked back, once it has lapsed');

-- Asking whether something hidden is there: what is and what is not give the same error.
create function pg_temp.certify(chapter text, mentor text) returns text language sql as $$
  select format('insert into public.peer_mentor_certifications (organisation_id, chapter_id, peer_mentor_id, certification_type)
    values (''00000000-0000-4000-8000-0000000000a0'', ''00000000-0000-4000-8000-0000000000%s'', ''00000000-0000-4000-8000-%s'', ''type'')', chapter, mentor)
$$;
select throws_ok(pg_temp.certify('a2', '0000000100a3'), '42501', null, 'a person of another chapter');
select throws_ok(pg_temp.certify('a2', '0000000100b1'), '42501', null, 'a person of another organisation');
select throws_ok(pg_temp.certify('a2', '00000000dead'), '42501', null, 'and nobody at all');
select throws_ok(pg_temp.certify('a3', '0000000100a3'), '42501', null, 'another chapter');
select throws_ok(pg_temp.certify('ff', '0000000100a2'), '42501', null, 'and no chapter at all');
select throws_ok($$insert into public.peer_mentor_certifications (id, organisation_id, chapter_id, peer_mentor_id, certification_type)
  values ('00000000-0000-4000-8000-0000000200a3', '00000000-0000-4000-8000-0000000000a0', '00000000-0000-4000-8000-0000000000a2',
    '00000000-0000-4000-8000-0000000100a2', 'type') on conflict (id) do update set status = 'suspended'$$,
  '42501', null, 'an id is not theirs to choose, so no conflict tells of a hidden row');
select throws_ok($$insert into public.peer_mentor_certifications (organisation_id, chapter_id, peer_mentor_id, certification_type, external_id)
  values ('00000000-0000-4000-8000-0000000000a0', '00000000-0000-4000-8000-0000000000a2', '00000000-0000-4000-8000-0000000100a2', 'type', 'x')$$,
  '42501', null, 'nor is a register''s id');

-- A function in WHERE that the planner would like to call first.
select is((select count(*) from public.peer_mentor_certifications where public.tell(expires_at)), (select rows from pg_temp.seen),
  'a cheap function is called');
select is(length(current_setting('test.told')), (select rows::int from pg_temp.seen), 'and with nothing that is hidden');

-- Objects of their own in front of ours.
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
select is((select count(*) from public.peer_mentor_certifications), (select rows from pg_temp.seen), 'shadows of our objects change nothing');
set local search_path = public, extensions;

-- Numbers of the record of access: one that nobody records would be an event that was lost.
select throws_ok($$select nextval('certvakt.access_numbers')$$, '42501', null, 'no number of the record of access is taken');
select throws_ok('select certvakt.admission()', '42501', null, 'nor by asking as the server asks');

-- Ids of entries, which follow from a request's key.
reset role;
select set_config('certvakt.change', '{"id": "00000000-0000-4000-8000-0000000e0000", "evidence": "x"}', true);
update public.peer_mentor_certifications set expires_at = '2027-06-20T20:00:00Z' where id = '00000000-0000-4000-8000-0000000200a3';
select pg_temp.claim(pg_temp.claims('coordinator'));
set local role authenticated;
select ok(not certvakt.is_made('00000000-0000-4000-8000-0000000200a3', '00000000-0000-4000-8000-0000000e0000'),
  'an entry of a hidden history does not show');
select set_config('certvakt.change', '{"id": "00000000-0000-4000-8000-0000000e0000", "evidence": "x"}', true);
select lives_ok($$update public.peer_mentor_certifications set expires_at = '2027-06-20T20:00:00Z'
  where id = '00000000-0000-4000-8000-0000000200a2'$$, 'nor by being taken when the same id is chosen');

-- Another role.
select is_empty($$select rolname from pg_roles where rolname like 'certvakt%' and pg_has_role('authenticated', oid, 'MEMBER')$$,
  'no way from a person to the service');
select throws_ok('set local row_security = off; select 1 from public.peer_mentor_certifications', '42501', null, 'nor past the policies');

select * from finish();
rollback;
