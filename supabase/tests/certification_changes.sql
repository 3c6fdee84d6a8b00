-- Changes that start a cycle, and changes that the next run must check.
begin;
select plan(15);

insert into certvakt.organisations (id, slug, name, time_zone)
values ('00000000-0000-4000-8000-0000000000a0', 'a', 'A', 'Europe/Oslo');
insert into certvakt.chapters (id, organisation_id, slug, name)
values ('00000000-0000-4000-8000-0000000000a1', '00000000-0000-4000-8000-0000000000a0', 'c', 'C');
insert into certvakt.certification_types (organisation_id, code, name) values ('00000000-0000-4000-8000-0000000000a0', 't', 'T');
insert into certvakt.people (id) values ('00000000-0000-4000-8000-0000000000a2');
insert into public.peer_mentor_certifications (id, organisation_id, chapter_id, peer_mentor_id, certification_type, expires_at)
values ('00000000-0000-4000-8000-0000000000a3', '00000000-0000-4000-8000-0000000000a0',
  '00000000-0000-4000-8000-0000000000a1', '00000000-0000-4000-8000-0000000000a2', 't', '2026-12-31 22:59:59+00');

create function pg_temp.last() returns text language sql as
  'select kind from certvakt.certification_changes order by id desc limit 1';
create function pg_temp.set(what text) returns text language plpgsql as $$
declare before bigint := (select count(*) from certvakt.certification_changes);
begin
  execute 'update public.peer_mentor_certifications set ' || what;
  return case when (select count(*) from certvakt.certification_changes) = before then 'nothing' else pg_temp.last() end;
end $$;

select is(pg_temp.last(), 'recorded', 'a new certification is recorded');
select is(pg_temp.set($$expires_at = '2028-12-31 22:59:59+00'$$), 'renewed', 'a later date is a renewal');
select is(pg_temp.set($$expires_at = '2028-11-30 22:59:59+00'$$), 'corrected', 'an earlier date is a correction');
select is(pg_temp.set($$expires_at = expires_at$$), 'nothing', 'the same date is no change');
select is(pg_temp.set($$status = 'expired'$$), 'nothing', 'expiry is no change');
select is(pg_temp.set($$status = 'active'$$), 'reinstated', 'a return to active without a new date is checked again');
select is(pg_temp.set($$status = 'expired'$$), 'nothing', 'it expires again');
insert into certvakt.people (id) values ('00000000-0000-4000-8000-0000000000a9');
select throws_ok($$update public.peer_mentor_certifications set peer_mentor_id = '00000000-0000-4000-8000-0000000000a9'$$,
  '23001', null, 'a certification cannot change its mentor');
select is(pg_temp.set($$status = 'suspended'$$), 'suspended', 'a suspension');
select is(pg_temp.set($$status = 'active'$$), 'reinstated', 'a reinstatement');
select is(pg_temp.set($$expires_at = null$$), 'renewed', 'removing the end is a renewal');
select is(pg_temp.set($$expires_at = '2027-01-01 22:59:59+00'$$), 'corrected', 'adding an end is a correction');
set local certvakt.change = '{"kind": "corrected"}';
select is(pg_temp.set($$expires_at = '2029-01-01 22:59:59+00'$$), 'corrected', 'the caller can declare a correction');
set local certvakt.change = '{"kind": "nonsense"}';
select is(pg_temp.set($$expires_at = '2030-01-01 22:59:59+00'$$), 'renewed', 'an invalid kind is ignored');

select results_eq(
  $$select certvakt.notice_key(c::uuid, t, d::date) from (values
    ('6f1c9d0e-3c1b-4b0a-9a39-0d6d7a1f2b3c', 'expiry_warning_90d', '2026-03-01'),
    ('6F1C9D0E-3C1B-4B0A-9A39-0D6D7A1F2B3C', 'expired', '2024-02-29'),
    ('00000000-0000-0000-0000-000000000000', 'expiry_warning_7d', '1999-12-31')) as v(c, t, d)$$,
  array['8a71f2edc924406de3cd2b523b66f64f8ddc48d5370e72e718a95aac94fadb1d',
    'b9fbf6b09d6c55d045ca626e1f34128fc76962c360632ee3f6173c57f3f03608',
    'cc57b03fa8f0fd67f4e6b4516bc7afcd0003e42754ba3f592d700f32a70ec0e0'],
  'the key equals that of the rules');

select * from finish();
rollback;
