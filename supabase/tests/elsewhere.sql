-- Mentors of several chapters: the visibility of a certification by another chapter.
begin;
select plan(8);
\if :{?world}
\else
  \set world fixtures/world.psql
\endif
\ir :world
\ir fixtures/certified.psql

-- The certification of the mentor of `top` and `beside`, in `top`. `coordinator` coordinates `own` with
-- `below` under it, `both` coordinates `beside`, and `outsider` coordinates the chapter of the other organisation, which
-- the mentor belongs to as well.
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

select is(pg_temp.seen_by(), 'both', 'another chapter of the mentor sees a new certification, another organisation does not');
select pg_temp.join_in(:mentor, pg_temp.chapter('a2'), 'coordinator');
select is(pg_temp.seen_by(), 'both', 'a coordinator is not a mentor of the chapter');
select pg_temp.join_in(:mentor, pg_temp.chapter('a4'), 'mentor');
select is(pg_temp.seen_by(), 'both coordinator', 'a chapter that the mentor joins later sees it too');
select pg_temp.leave(:mentor, pg_temp.chapter('a3'));
select is(pg_temp.seen_by(), 'coordinator', 'a chapter that the mentor leaves no longer sees it');
update public.peer_mentor_certifications set chapter_id = pg_temp.chapter('a3') where id = '00000000-0000-4000-8000-000000030001';
select is(pg_temp.seen_by(), 'both coordinator', 'after a move, the new chapter and the mentor''s chapters see it');
update public.peer_mentor_certifications set status = 'suspended', expires_at = '2027-01-01' where id = '00000000-0000-4000-8000-000000030001';
select is(pg_temp.seen_by(), 'both coordinator', 'other changes do not affect visibility');
select pg_temp.leave(:mentor, pg_temp.chapter('a4'));
select is(pg_temp.seen_by(), 'both', 'after the mentor leaves the last chapter, only the certifying chapter sees it');
delete from public.peer_mentor_certifications where id = '00000000-0000-4000-8000-000000030001';
select is(pg_temp.seen_by(), '', 'nobody sees a deleted certification');

select * from finish();
rollback;
