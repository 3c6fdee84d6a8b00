-- People of several organisations: no organisation changes another's data about them.
begin;
select plan(18);
\ir fixtures/world.psql
\ir fixtures/certified.psql
grant select on pg_temp.login to public;
create function pg_temp.ask(who text) returns text language sql as $$
  select set_config('request.jwt.claims', jsonb_build_object('iss', l.issuer, 'sub', l.subject)::text, true)
  from pg_temp.login l where l.kind = who
$$;
-- A mentor of both organisations, certified in A.
update certvakt.people set name = 'Own name' where id = '00000000-0000-4000-8000-000000000006';
\set shared '\'00000000-0000-4000-8000-000000000006\''
\set a '\'00000000-0000-4000-8000-0000000000a0\''
\set b '\'00000000-0000-4000-8000-0000000000b0\''

-- Names.
create function pg_temp.name_seen(who text) returns text language plpgsql as $$
declare
  seen text;
begin
  perform pg_temp.ask(who);
  set local role authenticated;
  select string_agg(n.name, ', ') into seen from certvakt.person_names n where n.person_id = '00000000-0000-4000-8000-000000000006';
  reset role;
  return seen;
end
$$;
select is(pg_temp.name_seen('administrator'), 'Mentor of two chapters', 'A reads its own name of a mentor of both');
select is(pg_temp.name_seen('outsider'), 'Name in B', 'B reads its own name');
select is(pg_temp.name_seen('mentor'), null, 'without access to the person, no name is visible');
select pg_temp.ask('administrator');
select is((select count(*) from certvakt.search_people('%name in b%', 10, null, null, null)), 0::bigint,
  'A does not find a person by the name of B');
select is((select mentor from certvakt.certification_details(array['00000000-0000-4000-8000-000000030001'::uuid], false)),
  'Mentor of two chapters', 'a certification shows its own organisation''s name of the mentor');
select pg_temp.ask('outsider');
select is((select string_agg(name, ', ') from certvakt.search_people('%name in b%', 10, null, null, null)), 'Name in B', 'B finds the person by the name of B');
select pg_temp.ask('administrator');
delete from certvakt.person_names where person_id = :shared and organisation_id = :a;
select is((select mentor from certvakt.certification_details(array['00000000-0000-4000-8000-000000030001'::uuid], false)),
  'Own name', 'or by the person''s own name, never by another organisation''s');
update certvakt.people set erased_at = now(), name = null, locale = null where id = :shared;
select throws_ok($$insert into certvakt.person_names values
  ('00000000-0000-4000-8000-000000000006', '00000000-0000-4000-8000-0000000000a0', 'Back')$$, '23001', null,
  'an erased person gets no name');
update certvakt.people set erased_at = null where id = :shared;

-- Addresses for sign-in.
insert into certvakt.contact_points (person_id, organisation_id, kind, address, created_at) values
  (:shared, :b, 'email', 'b@example.org', now() + interval '1 second');
create function pg_temp.found(address text) returns bigint language sql as $$
  select count(*) from certvakt.people_of_address(address)
$$;
select is(pg_temp.found('b@example.org'), 0::bigint, 'an address from B does not sign in a person whom A knew before');
select pg_temp.ask('outsider');
select ok(not certvakt.invite(:shared), 'the person is not invited at that address');
insert into certvakt.contact_points (person_id, organisation_id, kind, address) values (:shared, :a, 'email', 'B@example.org');
select is(pg_temp.found('b@example.org'), 1::bigint, 'it signs in if A has the same address');
delete from certvakt.contact_points where person_id = :shared and organisation_id = :a;
insert into certvakt.contact_points (person_id, kind, address) values (:shared, 'email', 'own@example.org');
select is(pg_temp.found('own@example.org'), 1::bigint, 'the person''s own address signs in');
select ok(certvakt.invite(:shared), 'the person is invited at their own address');
update certvakt.contact_points set created_at = now() - interval '1 year' where address = 'b@example.org';
select is(pg_temp.found('b@example.org'), 1::bigint, 'an address from before A''s membership signs in');

-- Devices.
insert into certvakt.contact_points (person_id, kind, address, installation) values (:shared, 'push', 'present', 'phone');
select throws_ok($$insert into certvakt.contact_points (person_id, organisation_id, kind, address, installation)
  values ('00000000-0000-4000-8000-000000000006', '00000000-0000-4000-8000-0000000000b0', 'push', 'x', 'other')$$, '23514', null,
  'no register contains an installation');
set local role authenticated;
select throws_ok($$select certvakt.register_device('phone', 'another')$$, '23001', null, 'another person''s device does not move without its token');
select lives_ok($$select certvakt.register_device('phone', 'present')$$, 'a device moves with its token');
reset role;
select is((select person_id from certvakt.contact_points where installation = 'phone'), '00000000-0000-4000-8000-000000000005'::uuid,
  'the device moves to the login that sent the token');

select * from finish();
rollback;
