-- In an app with its own hierarchy, certvakt's copies follow the app's tables.
begin;
select plan(9);
\ir fixtures/own_app.psql
\ir fixtures/certified.psql

select is(
  (select array[(select count(*) from certvakt.memberships), (select count(*) from certvakt.identities), (select count(*) from certvakt.certifications_elsewhere)]),
  '{0,0,0}', 'only the app stores memberships and logins');
select results_eq(
  'select right(c.id::text, 2), c.slug, right(c.parent_id::text, 2) from certvakt.chapters c order by 1',
  $$values ('a1', 'top', null), ('a2', 'own', 'a1'), ('a3', 'beside', 'a1'), ('a4', 'below', 'a2'), ('b1', 'other', null)$$,
  'all chapters exist, including older ones, each below its parent');

update public.forbund set navn = 'Landsforbundet' where kortnavn = 'a';
update public.lag set navn = 'Østlandet' where sti = 'top/own';
update public.profiles set navn = 'Åse Ødegård' where id = '00000000-0000-4000-8000-0000000100a2';
select is((select name from certvakt.organisations where slug = 'a'), 'Landsforbundet', 'an organisation is renamed');
select is((select name from certvakt.chapters where slug = 'own'), 'Østlandet', 'a chapter is renamed');
select is((select name from certvakt.people where id = '00000000-0000-4000-8000-0000000100a2'), 'Åse Ødegård', 'a person is renamed');
update public.lag set sti = 'top/beside' || substr(sti, length('top/own') + 1), navn = navn
where sti like 'top/own/%';
select is((select right(parent_id::text, 2) from certvakt.chapters where slug = 'below'), 'a3', 'a chapter moves with its path');
delete from public.profiles where id = '00000000-0000-4000-8000-0000000100a2';
select is_empty($$select 1 from certvakt.people where id = '00000000-0000-4000-8000-0000000100a2'$$, 'a deleted person is removed');
select is_empty($$select 1 from public.peer_mentor_certifications where peer_mentor_id = '00000000-0000-4000-8000-0000000100a2'$$,
  'the person''s certifications are removed');

insert into public.lag (forbund, sti, navn) values ('00000000-0000-4000-8000-0000000000a0', 'top/own-too', 'Own too');
select set_config('request.jwt.claims', json_build_object('iss', l.issuer, 'sub', l.subject)::text, true) from pg_temp.login l where l.kind = 'coordinator';
select is(certvakt.visible_chapters(), array['00000000-0000-4000-8000-0000000000a2']::uuid[],
  'neither a path with a similar start nor a moved chapter is below');

select * from finish();
rollback;
