-- Ids that start with the time.
begin;
select plan(5);

create temporary table made as
select certvakt.uuid_v7() as id from generate_series(1, 1000) n;

select is((select count(distinct id) from made), 1000::bigint, 'ids are unique');
select is(
  (select count(*) from made where id::text ~ '^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$'),
  1000::bigint, 'ids have version 7 and the variant of RFC 9562');
select is(
  (select count(*) from made
   where ('x0000' || left(replace(id::text, '-', ''), 12))::bit(64)::bigint
     between extract(epoch from now()) * 1000 - 1 and extract(epoch from clock_timestamp()) * 1000 + 1),
  1000::bigint, 'ids start with the milliseconds since 1970');
select is(
  (select array_agg(distinct table_schema || '.' || table_name || '.' || column_name order by table_schema || '.' || table_name || '.' || column_name)
   from information_schema.columns
   where table_schema in ('public', 'certvakt') and data_type = 'uuid' and column_default like '%gen_random_uuid%'
     -- A token must not be guessed from another one.
     and column_name <> 'unsubscribe'),
  null, 'no column has random ids as its default');

insert into certvakt.organisations (id, slug, name, time_zone)
values ('00000000-0000-4000-8000-0000000000a0', 'a', 'A', 'Europe/Oslo');
insert into certvakt.chapters (id, organisation_id, slug, name)
values ('00000000-0000-4000-8000-0000000000a1', '00000000-0000-4000-8000-0000000000a0', 'c', 'C');
insert into certvakt.certification_types (organisation_id, code, name) values ('00000000-0000-4000-8000-0000000000a0', 't', 'T');
insert into certvakt.people (id) values ('00000000-0000-4000-8000-0000000000a2');
set local role service_role;
insert into public.peer_mentor_certifications (organisation_id, chapter_id, peer_mentor_id, certification_type)
values ('00000000-0000-4000-8000-0000000000a0', '00000000-0000-4000-8000-0000000000a1',
  '00000000-0000-4000-8000-0000000000a2', 't');
reset role;
select is((select substr(id::text, 15, 1) from public.peer_mentor_certifications), '7', 'rows of an app''s backend get such an id too');

select * from finish();
rollback;
