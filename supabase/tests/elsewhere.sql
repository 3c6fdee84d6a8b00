-- Mentors of several chapters: which chapters see a certification that another one gave.
begin;
select plan(8);
\ir fixtures/world.sql

create function pg_temp.seen_from() returns text language sql as $$
  select coalesce(string_agg(right(chapter_id::text, 2), ' ' order by chapter_id), '') from certvakt.certifications_elsewhere
  where certification_id = '00000000-0000-4000-8000-000000030001'
$$;
create function pg_temp.join_in(organisation text, chapter text, role text) returns void language sql as $$
  insert into certvakt.memberships (organisation_id, chapter_id, person_id, role)
  values (('00000000-0000-4000-8000-0000000000' || organisation)::uuid, ('00000000-0000-4000-8000-0000000000' || chapter)::uuid,
    '00000000-0000-4000-8000-000000000006', role)
$$;

select is(pg_temp.seen_from(), 'a3', 'certified as a member of another chapter, and of another organisation: the chapter sees it');
select pg_temp.join_in('a0', 'a4', 'mentor');
select is(pg_temp.seen_from(), 'a3 a4', 'who joins later is seen from there too');
select pg_temp.join_in('a0', 'a2', 'coordinator');
select is(pg_temp.seen_from(), 'a3 a4', 'whoever coordinates a chapter is no mentor of it');
delete from certvakt.memberships where person_id = '00000000-0000-4000-8000-000000000006' and chapter_id = '00000000-0000-4000-8000-0000000000a3';
select is(pg_temp.seen_from(), 'a4', 'who leaves is seen no more');
update public.peer_mentor_certifications set chapter_id = '00000000-0000-4000-8000-0000000000a4' where id = '00000000-0000-4000-8000-000000030001';
select is(pg_temp.seen_from(), 'a1', 'moved to one of their chapters, it is seen from the other');
update public.peer_mentor_certifications set status = 'suspended', expires_at = '2027-01-01' where id = '00000000-0000-4000-8000-000000030001';
select is(pg_temp.seen_from(), 'a1', 'nothing else changes that');
delete from public.peer_mentor_certifications where id = '00000000-0000-4000-8000-000000030001';
select is(pg_temp.seen_from(), '', 'and it leaves with the certification');
select is((select count(*) from certvakt.certifications_elsewhere), 0::bigint, 'nobody else is a mentor of several chapters');

select * from finish();
rollback;
