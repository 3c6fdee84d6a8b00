-- Mentors of several chapters: who sees a certification that another chapter gave.
begin;
select plan(8);
\if :{?world}
\else
  \set world fixtures/world.psql
\endif
\ir :world
\ir fixtures/certified.psql

-- The certification of the mentor of `top` and `beside`, in `top`. `coordinator` keeps `own` with `below` under it,
-- `both` keeps `beside`, `outsider` the chapter of the other organisation, which the mentor belongs to as well.
create function pg_temp.seen_by() returns text language plpgsql as $$
declare
  one record;
  seers text[] := '{}';
begin
  for one in
    select l.kind, json_build_object('iss', l.issuer, 'sub', l.subject)::text as claims from pg_temp.login l
    where l.kind in ('coordinator', 'both', 'outsider') order by l.kind
  loop
    perform set_config('request.jwt.claims', one.claims, true);
    set local role authenticated;
    if exists (select from public.peer_mentor_certifications where id = '00000000-0000-4000-8000-000000030001') then
      seers := seers || one.kind;
    end if;
    reset role;
  end loop;
  return array_to_string(seers, ' ');
end
$$;
create function pg_temp.chapter(which text) returns uuid language sql as
  $$select ('00000000-0000-4000-8000-0000000000' || which)::uuid$$;
\set mentor '''00000000-0000-4000-8000-000000000006'''

select is(pg_temp.seen_by(), 'both', 'certified as a member of another chapter, and of another organisation: the chapter sees it');
select pg_temp.join_in(:mentor, pg_temp.chapter('a2'), 'coordinator');
select is(pg_temp.seen_by(), 'both', 'whoever coordinates a chapter is no mentor of it');
select pg_temp.join_in(:mentor, pg_temp.chapter('a4'), 'mentor');
select is(pg_temp.seen_by(), 'both coordinator', 'who joins later is seen from there too');
select pg_temp.leave(:mentor, pg_temp.chapter('a3'));
select is(pg_temp.seen_by(), 'coordinator', 'who leaves is seen no more');
update public.peer_mentor_certifications set chapter_id = pg_temp.chapter('a3') where id = '00000000-0000-4000-8000-000000030001';
select is(pg_temp.seen_by(), 'both coordinator', 'moved to another chapter, it is seen from there and from theirs');
update public.peer_mentor_certifications set status = 'suspended', expires_at = '2027-01-01' where id = '00000000-0000-4000-8000-000000030001';
select is(pg_temp.seen_by(), 'both coordinator', 'nothing else changes that');
select pg_temp.leave(:mentor, pg_temp.chapter('a4'));
select is(pg_temp.seen_by(), 'both', 'who leaves the last of them is seen by whoever certified them alone');
delete from public.peer_mentor_certifications where id = '00000000-0000-4000-8000-000000030001';
select is(pg_temp.seen_by(), '', 'and deleted it is gone');

select * from finish();
rollback;
