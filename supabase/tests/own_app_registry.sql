-- What certvakt keeps of an app that has a hierarchy of its own follows the app's tables.
begin;
select plan(9);
\ir fixtures/own_app.psql
\ir fixtures/certified.psql

select is(
  (select array[(select count(*) from certvakt.memberships), (select count(*) from certvakt.identities), (select count(*) from certvakt.certifications_elsewhere)]),
  '{0,0,0}', 'who belongs where and who signs in as whom stands in the app alone');
select results_eq(
  'select right(c.id::text, 2), c.slug, right(c.parent_id::text, 2) from certvakt.chapters c order by 1',
  $$values ('a1', 'top', null), ('a2', 'own', 'a1'), ('a3', 'beside', 'a1'), ('a4', 'below', 'a2'), ('b1', 'other', null)$$,
  'chapters are there, those of before as well, each below the one above it');

update public.forbund set navn = 'Landsforbundet' where kortnavn = 'a';
update public.lag set navn = 'Østlandet' where sti = 'top/own';
update public.profiles set navn = 'Åse Ødegård' where id = '00000000-0000-4000-8000-0000000100a2';
select is((select name from certvakt.organisations where slug = 'a'), 'Landsforbundet', 'a new name of an organisation');
select is((select name from certvakt.chapters where slug = 'own'), 'Østlandet', 'of a chapter');
select is((select name from certvakt.people where id = '00000000-0000-4000-8000-0000000100a2'), 'Åse Ødegård', 'and of a person');
update public.lag set sti = 'top/beside' || substr(sti, length('top/own') + 1), navn = navn
where sti like 'top/own/%';
select is((select right(parent_id::text, 2) from certvakt.chapters where slug = 'below'), 'a3', 'a chapter moves with its path');
delete from public.profiles where id = '00000000-0000-4000-8000-0000000100a2';
select is_empty($$select 1 from certvakt.people where id = '00000000-0000-4000-8000-0000000100a2'$$, 'somebody who is deleted leaves');
select is_empty($$select 1 from public.peer_mentor_certifications where peer_mentor_id = '00000000-0000-4000-8000-0000000100a2'$$,
  'and what they were certified');

insert into public.lag (forbund, sti, navn) values ('00000000-0000-4000-8000-0000000000a0', 'top/own-too', 'Own too');
select set_config('request.jwt.claims', json_build_object('iss', l.issuer, 'sub', l.subject)::text, true) from pg_temp.login l where l.kind = 'coordinator';
select is(certvakt.visible_chapters(), array['00000000-0000-4000-8000-0000000000a2']::uuid[],
  'a path that begins alike is not below, nor is what has moved away');

select * from finish();
rollback;
