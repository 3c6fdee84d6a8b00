-- Who gives and ends roles. Another file sets `world` and `owner`, and runs this on an app's own hierarchy.
begin;
select plan(14);
\if :{?world}
\else
  \set world fixtures/world.psql
  \set owner certvakt
\endif
\ir :world
\ir fixtures/certified.psql
\ir fixtures/become.psql

-- What somebody may do in organisation A: see its people, give a role, end one, withdraw an invitation.
create function pg_temp.may(who text) returns text language plpgsql as $$
declare
  a uuid := '00000000-0000-4000-8000-0000000000a0';
  mentor uuid := '00000000-0000-4000-8000-0000000100a4';
  done text;
begin
  perform pg_temp.become(who);
  set local role authenticated;
  done := concat_ws(' ',
    (select 'see' where exists (select from certvakt.people_of(a, null, null, null, 50))),
    (select 'give' where certvakt.give_role(mentor, a, 'coordinator', '00000000-0000-4000-8000-0000000000a4')),
    (select 'end' where certvakt.end_role(mentor, a, 'coordinator', '00000000-0000-4000-8000-0000000000a4', true) = 'ended'),
    (select 'withdraw' where certvakt.withdraw_invitation(mentor, a)));
  reset role;
  return nullif(done, '');
end
$$;
select is((
  select string_agg(l.kind || ': ' || pg_temp.may(l.kind), '; ' order by l.kind) from pg_temp.login l where pg_temp.may(l.kind) is not null),
  case :'owner' when 'certvakt' then 'administrator: see give end withdraw' else 'administrator: see' end,
  'administrators alone see roles, and change them where certvakt has the memberships');

-- The rest is about certvakt's own memberships.
select pg_temp.become('administrator');
set local role authenticated;
select :'owner' = 'certvakt' as is_ours \gset
\if :is_ours
select is(certvakt.give_role(p, '00000000-0000-4000-8000-0000000000a0', r, c), false, what)
from (values
  ('00000000-0000-4000-8000-0000000100b1'::uuid, 'coordinator', '00000000-0000-4000-8000-0000000000a2'::uuid, 'a person of another organisation gets no role'),
  ('00000000-0000-4000-8000-0000000100a4', 'coordinator', '00000000-0000-4000-8000-0000000000b1', 'nor is there one in a chapter of another'),
  ('00000000-0000-4000-8000-0000000100a4', 'coordinator', null, 'nor one of a coordinator without a chapter'),
  ('00000000-0000-4000-8000-0000000100a4', 'queen', '00000000-0000-4000-8000-0000000000a4', 'nor is there another role')) t (p, r, c, what);
select is(certvakt.give_role('00000000-0000-4000-8000-0000000100b1', '00000000-0000-4000-8000-0000000000b0', 'org_admin', null), false,
  'an administrator gives no role in another organisation');
select is(certvakt.end_role('00000000-0000-4000-8000-000000000002', '00000000-0000-4000-8000-0000000000a0', 'org_admin', null, true), 'own',
  'nobody ends their own role as administrator');
select is(certvakt.end_role('00000000-0000-4000-8000-000000000001', '00000000-0000-4000-8000-0000000000a0', 'coordinator',
  '00000000-0000-4000-8000-0000000000a2', false), 'last', 'the only coordinator of a chapter stays unless that is intended');
select is(certvakt.end_role('00000000-0000-4000-8000-000000000005', '00000000-0000-4000-8000-0000000000b0', 'coordinator',
  '00000000-0000-4000-8000-0000000000b1', true), 'forbidden', 'nobody ends a role in another organisation');
select is(certvakt.give_role('00000000-0000-4000-8000-000000000001', '00000000-0000-4000-8000-0000000000a0', 'org_admin', null), true,
  'somebody becomes administrator');
-- The new administrator ends the role of the other, who can no longer end theirs.
reset role;
select pg_temp.become('coordinator');
set local role authenticated;
select is(certvakt.end_role('00000000-0000-4000-8000-000000000002', '00000000-0000-4000-8000-0000000000a0', 'org_admin', null, true), 'ended',
  'an administrator ends the role of another');
reset role;
select pg_temp.become('administrator');
set local role authenticated;
select is(certvakt.end_role('00000000-0000-4000-8000-000000000001', '00000000-0000-4000-8000-0000000000a0', 'org_admin', null, true), 'forbidden',
  'so one administrator always remains');
reset role;
select pg_temp.become('coordinator');
set local role authenticated;
select is((
  select concat_ws(' ', p.has_login, p.is_invited, p.has_address, p.roles) from certvakt.people_of(
    '00000000-0000-4000-8000-0000000000a0', null, '00000000-0000-4000-8000-000000000002', null, 1) p),
  't f f', 'somebody whose last role has ended can get it again');
reset role;
select is((select string_agg(kind || ' ' || right(person_id::text, 2) || ' ' || right(made_by::text, 2), ', ' order by made_at)
  from certvakt.person_changes where kind in ('promoted', 'demoted')), 'promoted 01 02, demoted 02 01', 'the history records who changed roles');
\else
reset role;
select pass('an app decides') from generate_series(1, 13);
\endif
select * from finish();
rollback;
