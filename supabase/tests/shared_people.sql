-- What one organisation knows of a person whom another knows as well is not changed by the other.
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
select is(pg_temp.name_seen('outsider'), 'Name in B', 'and B its own');
select is(pg_temp.name_seen('mentor'), null, 'who sees the person nowhere reads none');
select pg_temp.ask('administrator');
select is((select count(*) from certvakt.search_people('%name in b%', 10, null, null, null)), 0::bigint,
  'A does not find a person by what B calls them');
select is((select mentor from certvakt.certification_details(array['00000000-0000-4000-8000-000000030001'::uuid], false)),
  'Mentor of two chapters', 'a certification names its mentor as its organisation does');
select pg_temp.ask('outsider');
select is((select string_agg(name, ', ') from certvakt.search_people('%name in b%', 10, null, null, null)), 'Name in B', 'and B does');
select pg_temp.ask('administrator');
delete from certvakt.person_names where person_id = :shared and organisation_id = :a;
select is((select mentor from certvakt.certification_details(array['00000000-0000-4000-8000-000000030001'::uuid], false)),
  'Own name', 'or by the person''s own name, never by another organisation''s');
update certvakt.people set erased_at = now(), name = null, locale = null where id = :shared;
select throws_ok($$insert into certvakt.person_names values
  ('00000000-0000-4000-8000-000000000006', '00000000-0000-4000-8000-0000000000a0', 'Back')$$, '23001', null,
  'who was erased gets no name');
update certvakt.people set erased_at = null where id = :shared;

-- Addresses that open the door.
insert into certvakt.contact_points (person_id, organisation_id, kind, address, created_at) values
  (:shared, :b, 'email', 'b@example.org', now() + interval '1 second');
create function pg_temp.found(address text) returns bigint language sql as $$
  select count(*) from certvakt.people_of_address(address)
$$;
select is(pg_temp.found('b@example.org'), 0::bigint, 'an address that B gives to somebody whom A knew does not sign them in');
select pg_temp.ask('outsider');
select ok(not certvakt.invite(:shared), 'nor are they invited there');
insert into certvakt.contact_points (person_id, organisation_id, kind, address) values (:shared, :a, 'email', 'B@example.org');
select is(pg_temp.found('b@example.org'), 1::bigint, 'but it does when A has the same');
delete from certvakt.contact_points where person_id = :shared and organisation_id = :a;
insert into certvakt.contact_points (person_id, kind, address) values (:shared, 'email', 'own@example.org');
select is(pg_temp.found('own@example.org'), 1::bigint, 'their own address does');
select ok(certvakt.invite(:shared), 'and they are invited there');
update certvakt.contact_points set created_at = now() - interval '1 year' where address = 'b@example.org';
select is(pg_temp.found('b@example.org'), 1::bigint, 'as does one that was there before A came');

-- Devices.
insert into certvakt.contact_points (person_id, kind, address, installation) values (:shared, 'push', 'present', 'phone');
select throws_ok($$insert into certvakt.contact_points (person_id, organisation_id, kind, address, installation)
  values ('00000000-0000-4000-8000-000000000006', '00000000-0000-4000-8000-0000000000b0', 'push', 'x', 'other')$$, '23514', null,
  'no register knows an installation');
set local role authenticated;
select throws_ok($$select certvakt.keep_device('phone', 'another')$$, '23001', null, 'another person''s device stays without its token');
select lives_ok($$select certvakt.keep_device('phone', 'present')$$, 'and moves with it');
reset role;
select is((select person_id from certvakt.contact_points where installation = 'phone'), '00000000-0000-4000-8000-000000000005'::uuid,
  'to the login that gave it');

select * from finish();
rollback;
