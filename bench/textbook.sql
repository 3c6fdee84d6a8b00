-- What many write first: a copy of the certifications whose policy asks for each row whether there is a
-- membership, by the name of the login. textbook.uid() is Supabase's auth.uid().

create schema textbook;
create function textbook.uid() returns uuid language sql stable as $$
  select coalesce(
    nullif(current_setting('request.jwt.claim.sub', true), ''),
    (nullif(current_setting('request.jwt.claims', true), '')::jsonb ->> 'sub')
  )::uuid
$$;
create table textbook.memberships (
  user_id uuid not null,
  chapter_id uuid not null references certvakt.chapters (id),
  role text not null,
  primary key (user_id, chapter_id, role)
);
create index on textbook.memberships (chapter_id);
insert into textbook.memberships select person_id, chapter_id, role from certvakt.memberships;
create table textbook.chapters (like certvakt.chapters including all);
insert into textbook.chapters select * from certvakt.chapters;

create table textbook.certifications (like public.peer_mentor_certifications including all excluding generated);
insert into textbook.certifications select * from public.peer_mentor_certifications;
alter table textbook.certifications enable row level security;
create policy coordinators_see on textbook.certifications for select to authenticated using (
  exists (
    with recursive above as (
      select c.id, c.parent_id from textbook.chapters c where c.id = certifications.chapter_id
      union all
      select c.id, c.parent_id from textbook.chapters c join above a on c.id = a.parent_id
    )
    select 1 from textbook.memberships m
    where m.user_id = textbook.uid() and m.role = 'coordinator' and m.chapter_id in (select id from above)));

-- The same where chapters have no tree: a coordinator is a member of each of theirs.
create table textbook.flat_memberships (like textbook.memberships including all);
insert into textbook.flat_memberships select * from textbook.memberships where role <> 'coordinator';
insert into textbook.flat_memberships
with recursive kept as (
  select m.user_id, m.chapter_id from textbook.memberships m where m.role = 'coordinator'
  union
  select k.user_id, c.id from kept k join textbook.chapters c on c.parent_id = k.chapter_id
)
select user_id, chapter_id, 'coordinator' from kept;
create table textbook.flat_certifications (like public.peer_mentor_certifications including all excluding generated);
insert into textbook.flat_certifications select * from public.peer_mentor_certifications;
alter table textbook.flat_certifications enable row level security;
create policy coordinators_see on textbook.flat_certifications for select to authenticated using (
  exists (
    select 1 from textbook.flat_memberships m
    where m.user_id = textbook.uid() and m.role = 'coordinator' and m.chapter_id = flat_certifications.chapter_id));

grant usage on schema textbook to authenticated;
grant select on all tables in schema textbook to authenticated;
