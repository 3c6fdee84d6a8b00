-- Who may end and move whom. Another file sets `world` and `allowed`, and runs this on an app's own hierarchy.
begin;
select plan(10);
\if :{?world}
\else
  \set world fixtures/world.psql
  \set allowed 'administrator: 06 a1 a2 a3 a4 own; both: a3; coordinator: a2 a4; outsider: 06 b1'
  \set moved 'administrator own below; coordinator own below'
\endif
\ir :world
\ir fixtures/certified.psql
\ir fixtures/become.psql

create function pg_temp.may_end(who text) returns text language plpgsql as $$
declare
  ended text;
begin
  perform pg_temp.become(who);
  set local role authenticated;
  select string_agg(p.name, ' ' order by p.name) into ended
  from (values ('a1', '0000000100a1'), ('a2', '0000000100a2'), ('a3', '0000000100a3'), ('a4', '0000000100a4'), ('b1', '0000000100b1'),
    ('06', '000000000006'), ('own', '000000000001'), ('dead', '00000000dead')) p (name, id)
  cross join (values ('00000000-0000-4000-8000-0000000000a0'::uuid), ('00000000-0000-4000-8000-0000000000b0')) o (id)
  where certvakt.may_end(('00000000-0000-4000-8000-' || p.id)::uuid, o.id);
  reset role;
  return ended;
end
$$;
select is((
  select string_agg(l.kind || ': ' || pg_temp.may_end(l.kind), '; ' order by l.kind) from pg_temp.login l
  where pg_temp.may_end(l.kind) is not null), nullif(:'allowed', ''), 'people end mentors of chapters that they manage, and administrators anybody else');

create function pg_temp.moves(who text) returns text language plpgsql as $$
declare
  done text;
begin
  perform pg_temp.become(who);
  set local role authenticated;
  select string_agg(b.name || ' ' || a.name, ',' order by b.name, a.name) into done
  from (values ('own', 'a2'), ('other', 'b1')) b (name, id), (values ('below', 'a4'), ('other', 'b1')) a (name, id)
  where certvakt.move_mentors(array[('00000000-0000-4000-8000-0000000100' || b.id)::uuid],
    ('00000000-0000-4000-8000-0000000000' || b.id)::uuid, ('00000000-0000-4000-8000-0000000000' || a.id)::uuid) is not null;
  reset role;
  return done;
end
$$;
select is((
  select string_agg(l.kind || ' ' || pg_temp.moves(l.kind), '; ' order by l.kind) from pg_temp.login l
  where l.kind in ('administrator', 'coordinator', 'both', 'former', 'mentor', 'outsider')), nullif(:'moved', ''),
  'people move mentors between chapters of one organisation that they manage');

select pg_temp.become('coordinator');
set local role authenticated;
select is(certvakt.end_person('00000000-0000-4000-8000-0000000100a3', '00000000-0000-4000-8000-0000000000a0', 'left'), false,
  'nobody ends a mentor of another chapter');
select is(certvakt.return_person('00000000-0000-4000-8000-0000000100a2', '00000000-0000-4000-8000-0000000000a0'), false,
  'a coordinator takes nobody back');
select is(certvakt.move_mentors(null, '00000000-0000-4000-8000-0000000000a2', '00000000-0000-4000-8000-0000000000a4'), null,
  'a coordinator does not move a whole chapter');
select is(certvakt.hand_over_chapter('00000000-0000-4000-8000-0000000000a2', '00000000-0000-4000-8000-000000000001', '{}'), false,
  'a coordinator hands over no chapter');
select is(certvakt.merge_people('00000000-0000-4000-8000-0000000100a2', '00000000-0000-4000-8000-0000000100a4', '00000000-0000-4000-8000-0000000000a0'),
  'forbidden', 'a coordinator merges nobody');
select throws_ok($$insert into certvakt.memberships (organisation_id, chapter_id, person_id, role)
  values ('00000000-0000-4000-8000-0000000000a0', '00000000-0000-4000-8000-0000000000a3', '00000000-0000-4000-8000-000000000001', 'coordinator')$$,
  '42501', null, 'nobody gives themselves a role');
select throws_ok($$insert into certvakt.person_changes (organisation_id, person_id, kind)
  values ('00000000-0000-4000-8000-0000000000a0', '00000000-0000-4000-8000-0000000100a2', 'left')$$, '42501', null,
  'people record it through the functions only');
reset role;
insert into certvakt.person_changes (organisation_id, person_id, kind)
select '00000000-0000-4000-8000-0000000000a0', ('00000000-0000-4000-8000-0000000100' || m)::uuid, 'returned' from unnest(array['a1', 'a4']) m;
set local role authenticated;
select is((select string_agg(distinct right(person_id::text, 2), ' ') from certvakt.person_changes where kind = 'returned'), 'a4',
  'people see what happened to mentors whose certifications they see');
reset role;
select * from finish();
rollback;
