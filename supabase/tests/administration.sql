-- What administrators may do with people of their organisation: add them, see who saw their data, export and erase them. Another
-- file sets `world` and `owner`, and runs this on an app's own hierarchy.
begin;
select plan(22);
\if :{?world}
\else
  \set world fixtures/world.psql
  \set owner certvakt
\endif
\ir :world
\ir fixtures/certified.psql
\ir fixtures/become.psql

insert into certvakt.access_events (number, at, person_id, method, resource, resource_id, status, rows_read, organisations_of_person, organisations_of_rows)
values
  (1, now(), '00000000-0000-4000-8000-000000000001', 'GET', '/certifications/{id}', '00000000-0000-4000-8000-0000000200a4', 200, 3,
    array['00000000-0000-4000-8000-0000000000a0']::uuid[], array['00000000-0000-4000-8000-0000000000a0']::uuid[]),
  (2, now(), '00000000-0000-4000-8000-000000000003', 'GET', '/certifications', null, 200, 3,
    array['00000000-0000-4000-8000-0000000000a0', '00000000-0000-4000-8000-0000000000b0']::uuid[],
    array['00000000-0000-4000-8000-000000000001', '00000000-0000-4000-8000-0000000000a0', '00000000-0000-4000-8000-0000000000b0']::uuid[]),
  (3, now(), '00000000-0000-4000-8000-000000000005', 'GET', '/certifications/{id}', '00000000-0000-4000-8000-0000000200b1', 200, 3,
    array['00000000-0000-4000-8000-0000000000b0']::uuid[], array['00000000-0000-4000-8000-0000000000b0']::uuid[]),
  (4, now(), '00000000-0000-4000-8000-0000000100a4', 'GET', '/me/notices', null, 200, 3,
    array['00000000-0000-4000-8000-0000000000a0']::uuid[], array['00000000-0000-4000-8000-0000000000a0']::uuid[]),
  (5, now(), '00000000-0000-4000-8000-000000000001', 'GET', '/certifications/{id}', '00000000-0000-4000-8000-0000000200a4', 404, 0,
    array['00000000-0000-4000-8000-0000000000a0']::uuid[], '{}');

-- What somebody may do in organisation A: see the log, add a person, find a namesake, erase a mentor.
create function pg_temp.may(who text) returns text language plpgsql as $$
declare
  a uuid := '00000000-0000-4000-8000-0000000000a0';
  done text;
begin
  perform pg_temp.become(who);
  set local role authenticated;
  done := concat_ws(' ',
    (select 'log ' || string_agg(l.number::text, ',' order by l.number) from certvakt.access_of(a, null, null, null, 50) l),
    (select 'add' where certvakt.add_person(
      '00000000-0000-4000-8000-0000000000d1', a, '00000000-0000-4000-8000-0000000000a2', 'mentor', 'Ny', null, null)),
    (select 'namesake' where exists (select from certvakt.namesakes(a, 'MENTOR a4'))),
    (select 'erase' where certvakt.may_erase('00000000-0000-4000-8000-0000000100a4', a)));
  reset role;
  return nullif(done, '');
end
$$;
select is((
  select string_agg(l.kind || ': ' || pg_temp.may(l.kind), '; ' order by l.kind) from pg_temp.login l where pg_temp.may(l.kind) is not null),
  case :'owner' when 'certvakt' then 'administrator: log 1,2 add namesake erase' else 'administrator: log 1,2' end,
  'administrators alone see the log of their organisation, and add, find and erase people where certvakt has the memberships');

select pg_temp.become('administrator');
set local role authenticated;
select is((
  select string_agg(number::text, ',' order by number) from certvakt.access_of('00000000-0000-4000-8000-0000000000b0', null, null, null, 50)),
  null, 'nor do they see the log of another organisation');
select is((
  select string_agg(number::text, ',' order by number) from certvakt.access_of(
    '00000000-0000-4000-8000-0000000000a0', '00000000-0000-4000-8000-0000000100a4', null, null, 50)),
  '1', 'the log about a person has the requests for their certifications');
select is((
  select string_agg(number::text, ',' order by number) from certvakt.access_of(
    '00000000-0000-4000-8000-0000000000a0', '00000000-0000-4000-8000-0000000100b1', null, null, 50)),
  null, 'and none of another organisation');
select is((
  select string_agg(number::text, ',' order by number) from certvakt.access_of(
    '00000000-0000-4000-8000-0000000000a0', null, '00000000-0000-4000-8000-000000000005', null, 50)),
  null, 'nor does the log by a person');
select is((
  select string_agg(number::text, ',' order by number) from certvakt.access_of('00000000-0000-4000-8000-0000000000a0', null, null, 2, 50)),
  '1', 'a page ends before a number');
select is((
  select string_agg(number::text, ',' order by number) from certvakt.access_of('00000000-0000-4000-8000-0000000000a0', null, null, null, 1)),
  '2', 'the latest come first');
reset role;

-- The rest is about certvakt's own memberships.
select :'owner' = 'certvakt' as is_ours \gset
\if :is_ours
insert into certvakt.contact_points (person_id, organisation_id, kind, address)
values ('00000000-0000-4000-8000-0000000100a3', '00000000-0000-4000-8000-0000000000b0', 'email', 'x@example.org');
select pg_temp.become('administrator');
set local role authenticated;
select is(certvakt.may_erase(p, '00000000-0000-4000-8000-0000000000a0'), false, what)
from (values
  ('00000000-0000-4000-8000-000000000002'::uuid, 'nobody erases themselves'),
  ('00000000-0000-4000-8000-000000000003', 'nor somebody of another organisation too'),
  ('00000000-0000-4000-8000-0000000100a3', 'nor somebody whose address another organisation has'),
  ('00000000-0000-4000-8000-0000000100b1', 'nor somebody of another organisation only'),
  ('00000000-0000-4000-8000-00000000dead', 'nor nobody')) t (p, what);
select is(certvakt.may_erase('00000000-0000-4000-8000-0000000100b1', '00000000-0000-4000-8000-0000000000b0'), false,
  'an administrator erases nobody in another organisation');
select is(certvakt.add_person(p, '00000000-0000-4000-8000-0000000000a0', c, 'mentor', 'Ny', null, null), false, what)
from (values
  ('00000000-0000-4000-8000-0000000000d2'::uuid, '00000000-0000-4000-8000-0000000000b1'::uuid, 'nobody is added to a chapter of another organisation'),
  ('00000000-0000-4000-8000-0000000000d2', null, 'nor to no chapter'),
  ('00000000-0000-4000-8000-0000000100b1', '00000000-0000-4000-8000-0000000000a2', 'the id of somebody else adds nobody'),
  ('00000000-0000-4000-8000-0000000100a4', '00000000-0000-4000-8000-0000000000a2', 'also not that of somebody of the organisation')) t (p, c, what);
select is(certvakt.add_person('00000000-0000-4000-8000-0000000000d3', '00000000-0000-4000-8000-0000000000b0',
  '00000000-0000-4000-8000-0000000000b1', 'mentor', 'Ny', null, null), false, 'an administrator adds nobody to another organisation');
select throws_ok($$select certvakt.insert_person('00000000-0000-4000-8000-0000000000d4', '00000000-0000-4000-8000-0000000000a0',
  '00000000-0000-4000-8000-0000000000a2', 'mentor', 'Ny', null, null)$$, '42501', null, 'nor without the check');
select is(certvakt.end_role('00000000-0000-4000-8000-0000000100a4', '00000000-0000-4000-8000-0000000000a0', 'mentor',
  '00000000-0000-4000-8000-0000000000a4', false), 'last', 'the last role of a mentor ends only if that is intended');
select is(certvakt.end_role('00000000-0000-4000-8000-000000000006', '00000000-0000-4000-8000-0000000000a0', 'mentor',
  '00000000-0000-4000-8000-0000000000a1', true), 'certified', 'a mentor of several chapters is moved from the one that certified them');
reset role;
select is((
  select string_agg(concat_ws(' ', n.name, m.role, v.kind, right(v.made_by::text, 2)), ', ') from certvakt.person_names n
  join certvakt.memberships m on m.person_id = n.person_id join certvakt.person_changes v on v.person_id = n.person_id
  where n.name = 'Ny'), 'Ny mentor joined 02', 'a person is added once, with who did it');
\else
select pass('an app decides') from generate_series(1, 15);
\endif
select * from finish();
rollback;
