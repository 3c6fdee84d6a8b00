-- The log of notices: unique, append-only, and with the columns of the source document only.
begin;
select plan(25);

insert into certvakt.organisations (id, slug, name, time_zone)
values ('00000000-0000-4000-8000-0000000000a0', 'a', 'A', 'Europe/Oslo');
insert into certvakt.chapters (id, organisation_id, slug, name)
values ('00000000-0000-4000-8000-0000000000a1', '00000000-0000-4000-8000-0000000000a0', 'c', 'C');
insert into certvakt.certification_types (organisation_id, code, name)
values ('00000000-0000-4000-8000-0000000000a0', 't', 'T');
insert into certvakt.people (id) values ('00000000-0000-4000-8000-0000000000a2');
insert into public.peer_mentor_certifications (id, organisation_id, chapter_id, peer_mentor_id, certification_type, expires_at)
values ('00000000-0000-4000-8000-0000000000a3', '00000000-0000-4000-8000-0000000000a0',
  '00000000-0000-4000-8000-0000000000a1', '00000000-0000-4000-8000-0000000000a2', 't', '2026-12-31 22:59:59+00');

create function pg_temp.notice(type text, key text, sent timestamptz default now()) returns text language sql as $$
  select format(
    'insert into public.cert_notification_log (certification_id, notification_type, recipient_id, idempotency_key, sent_at)
     values (%L, %L, %L, %L, %L)',
    '00000000-0000-4000-8000-0000000000a3', type, '00000000-0000-4000-8000-0000000000a2', key, sent)
$$;

select lives_ok(pg_temp.notice('expired', repeat('a', 64)), 'a notice is recorded');
select throws_ok(pg_temp.notice('expired', repeat('a', 64)), '23505', null, 'a duplicate key is a unique violation');
select lives_ok(pg_temp.notice('expired', repeat('a', 64)) || ' on conflict (idempotency_key) do nothing',
  'a retry with ON CONFLICT DO NOTHING returns cleanly');
select is((select count(*) from public.cert_notification_log), 1::bigint, 'the retry records nothing');
select throws_ok(pg_temp.notice('expiry_warning_60d', repeat('b', 64)), '23514', null, 'an unknown type is a check violation');
select throws_ok(pg_temp.notice('expired', repeat('A', 64)), '23514', null, 'a key in upper case is refused');
select throws_ok(pg_temp.notice('expired', repeat('a', 63)), '23514', null, 'a short key is refused');
select throws_ok(pg_temp.notice('expired', repeat('g', 64)), '23514', null, 'a key that is not hexadecimal is refused');

select throws_ok('update public.cert_notification_log set sent_at = now()', '23001',
  'cert_notification_log is append-only: its rows cannot be changed', 'update is refused, even to a superuser');
select throws_ok('update public.cert_notification_log set sent_at = now() where false', '23001', null,
  'an update of no rows is refused too');
select throws_ok(pg_temp.notice('expired', repeat('a', 64)) || ' on conflict (idempotency_key) do update set sent_at = now()',
  '23001', null, 'an update in ON CONFLICT is refused');
select throws_ok('truncate public.cert_notification_log cascade', '23001', null, 'truncate is refused');
set session_replication_role = replica;
select throws_ok('update public.cert_notification_log set sent_at = now()', '23001', null, 'a replica session is refused too');
set session_replication_role = origin;

select columns_are('public', 'cert_notification_log',
  array['id', 'certification_id', 'notification_type', 'sent_at', 'recipient_id', 'idempotency_key'], 'the log has the columns of the source document');
select is((select count(*) from pg_attribute where attrelid = 'public.cert_notification_log'::regclass and attnum > 0 and not attnotnull),
  0::bigint, 'no column may be null');
select has_index('public', 'cert_notification_log', 'cert_notification_log_certification', array['certification_id', 'notification_type'],
  'lookups have an index');
select has_index('public', 'cert_notification_log', 'cert_notification_log_retention', array['sent_at'], 'retention has an index');

set enable_seqscan = off;
create function pg_temp.plan(query text) returns setof text language plpgsql as $$
begin return query execute 'explain ' || query; end $$;
select ok(exists (select from pg_temp.plan($q$select 1 from public.cert_notification_log where certification_id = gen_random_uuid()
  and notification_type = 'expired'$q$) p where p like '%cert_notification_log_certification%'), 'a lookup by certification and type uses the index');
select ok(exists (select from pg_temp.plan($q$select 1 from public.cert_notification_log where certification_id = gen_random_uuid()$q$) p
  where p like '%cert_notification_log_certification%'), 'a lookup by certification uses the index');

select throws_ok($$select certvakt.delete_old_notices('179 days', 10)$$, '22023', null, 'retention has a minimum');
select lives_ok(pg_temp.notice('expiry_warning_90d', repeat('c', 64), now() - interval '400 days'), 'an old notice is recorded');
select lives_ok(pg_temp.notice('expiry_warning_30d', repeat('d', 64), now() - interval '370 days'), 'another old notice is recorded');
select is(certvakt.delete_old_notices('1 year', 1), 1::bigint, 'retention deletes a batch, the oldest first');
select is((select count(*) from public.cert_notification_log), 2::bigint, 'retention deletes nothing else');

delete from public.peer_mentor_certifications where id = '00000000-0000-4000-8000-0000000000a3';
select is((select count(*) from public.cert_notification_log), 0::bigint, 'notices are deleted with their certification');

select * from finish();
rollback;
