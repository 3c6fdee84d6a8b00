-- No row of an organisation can refer to another organisation.
begin;
select plan(9);

insert into certvakt.organisations (id, slug, name, time_zone) values
  ('00000000-0000-4000-8000-0000000000a0', 'a', 'A', 'Europe/Oslo'), ('00000000-0000-4000-8000-0000000000b0', 'b', 'B', 'Europe/Oslo');
insert into certvakt.chapters (id, organisation_id, slug, name) values
  ('00000000-0000-4000-8000-0000000000a1', '00000000-0000-4000-8000-0000000000a0', 'c', 'C'),
  ('00000000-0000-4000-8000-0000000000b1', '00000000-0000-4000-8000-0000000000b0', 'c', 'C');
insert into certvakt.certification_types (organisation_id, code, name) values
  ('00000000-0000-4000-8000-0000000000a0', 'only-a', 'T'), ('00000000-0000-4000-8000-0000000000b0', 'only-b', 'T');
insert into certvakt.people (id) values ('00000000-0000-4000-8000-0000000000a2');

create function pg_temp.certify(organisation char, chapter char, type text) returns text language sql as $$
  select format(
    'insert into public.peer_mentor_certifications (organisation_id, chapter_id, peer_mentor_id, certification_type)
     values (''00000000-0000-4000-8000-0000000000%s0'', ''00000000-0000-4000-8000-0000000000%s1'',
       ''00000000-0000-4000-8000-0000000000a2'', %L)', organisation, chapter, type)
$$;
select lives_ok(pg_temp.certify('a', 'a', 'only-a'), 'a certification within one organisation is accepted');
select throws_ok(pg_temp.certify('a', 'b', 'only-a'), '23503', null, 'its chapter cannot be another''s');
select throws_ok(pg_temp.certify('a', 'a', 'only-b'), '23503', null, 'a type of another organisation is refused');
select throws_ok($$update public.peer_mentor_certifications set organisation_id = '00000000-0000-4000-8000-0000000000b0'$$,
  '23503', null, 'a certification cannot move to another organisation alone');
select throws_ok($$insert into certvakt.chapters (organisation_id, parent_id, slug, name)
  values ('00000000-0000-4000-8000-0000000000b0', '00000000-0000-4000-8000-0000000000a1', 'd', 'D')$$, '23503', null,
  'a chapter is not below another organisation''s');
select throws_ok($$insert into certvakt.memberships (organisation_id, chapter_id, person_id, role)
  values ('00000000-0000-4000-8000-0000000000b0', '00000000-0000-4000-8000-0000000000a1', '00000000-0000-4000-8000-0000000000a2', 'mentor')$$,
  '23503', null, 'a membership needs a chapter of the same organisation');
insert into certvakt.people (id) values ('00000000-0000-4000-8000-0000000000b2');
select throws_ok($$insert into public.cert_notification_log (certification_id, notification_type, recipient_id, idempotency_key)
  select id, 'expired', '00000000-0000-4000-8000-0000000000b2', repeat('a', 64) from public.peer_mentor_certifications$$,
  '23503', null, 'a notice is its certification''s mentor''s');

insert into certvakt.chapters (id, organisation_id, parent_id, slug, name) values
  ('00000000-0000-4000-8000-0000000000a5', '00000000-0000-4000-8000-0000000000a0', '00000000-0000-4000-8000-0000000000a1', 'below', 'Below');
select throws_ok($$update certvakt.chapters set parent_id = '00000000-0000-4000-8000-0000000000a5'
  where id = '00000000-0000-4000-8000-0000000000a1'$$, '23514', null, 'a chapter cannot be below itself');
select throws_ok($$insert into certvakt.organisations (slug, name, time_zone) values ('c', 'C', 'Europe/Olso')$$, '22023', null,
  'an unknown time zone is refused');

select * from finish();
rollback;
