-- The history of a certification: the entries that the database writes, and the changes that it refuses.
begin;
select no_plan();
\ir fixtures/world.psql
\ir fixtures/certified.psql
\set certification '''00000000-0000-4000-8000-0000000200a2'''

create function pg_temp.last() returns jsonb language sql as
  $$ select renewal_history -> -1 from public.peer_mentor_certifications where id = '00000000-0000-4000-8000-0000000200a2' $$;
create function pg_temp.kinds() returns text language sql as $$
  select string_agg(e ->> 'kind', ' ' order by n) from public.peer_mentor_certifications,
    jsonb_array_elements(renewal_history) with ordinality e (e, n) where id = '00000000-0000-4000-8000-0000000200a2' $$;

-- Texts and digests that every implementation must give (crates/rules/tests/history.rs has the same).
select is(certvakt.canonical('{"b": [1, "é\u0007\"", null], "a": {"é": true}, "aa": 0}'),
  E'{"a":{"é":true},"aa":0,"b":[1,"é\\u0007\\"",null]}', 'the canonical text follows RFC 8785');
select is(certvakt.entry_hash('{"schema_version": 1, "kind": "renewed"}'),
  'b496ffeb338356d54c4c4dda31eb2aa81d8e9659c73e89b3a391734194f49cd9', 'the hash of the canonical text');

-- Every change adds an entry, regardless of its source.
update public.peer_mentor_certifications set expires_at = '2027-06-30 21:59:59+00' where id = :certification;
update public.peer_mentor_certifications set expires_at = '2027-05-31 21:59:59+00' where id = :certification;
update public.peer_mentor_certifications set status = 'suspended' where id = :certification;
update public.peer_mentor_certifications set status = 'active' where id = :certification;
update public.peer_mentor_certifications set status = 'suspended', expires_at = '2028-06-30 21:59:59+00' where id = :certification;
update public.peer_mentor_certifications set status = 'active', expires_at = null where id = :certification;
update public.peer_mentor_certifications set external_id = 'X', issued_at = now() where id = :certification;
select is(pg_temp.kinds(), 'renewed corrected suspended reinstated renewed suspended renewed reinstated',
  'changes of dates and suspensions add entries in their order');
select is(
  (select array_agg(entry ->> 'previous' is not distinct from certvakt.entry_hash(before) order by number) from (
    select e.number, e.entry, lag(e.entry) over (order by e.number) as before
    from public.peer_mentor_certifications, jsonb_array_elements(renewal_history) with ordinality e (entry, number)
    where id = :certification) chain),
  array_fill(true, array[8]), 'each entry contains the hash of the previous one');
select is((select count(*) from public.peer_mentor_certifications c, jsonb_array_elements(c.renewal_history) e
  where certvakt.entry_fault(e) is not null), 0::bigint, 'each entry is valid for its version');
select is(pg_temp.last() ->> 'source', 'database', 'without further information, the source is the database');

-- The notices of the cycle that an entry closes.
insert into public.cert_notification_log (certification_id, notification_type, sent_at, recipient_id, idempotency_key)
select id, stage, clock_timestamp(), peer_mentor_id, certvakt.notice_key(id, stage, date '2027-01-01')
from public.peer_mentor_certifications, unnest(array['expiry_warning_90d', 'expired']) stage where id = :certification;
update public.peer_mentor_certifications set expires_at = '2029-06-30 21:59:59+00' where id = :certification;
select is(pg_temp.last() -> 'told', 'null', 'a correction closes no cycle');
update public.peer_mentor_certifications set expires_at = '2030-06-30 21:59:59+00' where id = :certification;
select is(pg_temp.last() -> 'told', '["expiry_warning_90d", "expired"]', 'a renewal contains the stages notified in the cycle that it closes');

-- Evidence and notes are stored separately.
set local certvakt.change = '{"kind": "renewed", "source": "command", "evidence": "kurs 14", "note": "Bodø", "completed_on": "2026-11-20"}';
update public.peer_mentor_certifications set expires_at = '2031-06-30 21:59:59+00' where id = :certification;
set local certvakt.change = '';
select is(pg_temp.last() - 'schema_version' - 'id' - 'at' - 'words' - 'previous', jsonb_build_object(
  'kind', 'renewed', 'actor', null, 'source', 'command', 'completed_on', '2026-11-20', 'told', '[]'::jsonb,
  'expires_before', '2030-06-30T21:59:59.000000Z', 'expires_after', '2031-06-30T21:59:59.000000Z'), 'an entry contains the known fields');
select is((select encode(sha256(w.salt || convert_to('{"evidence":"kurs 14","note":"Bodø"}', 'UTF8')), 'hex')
  from certvakt.renewal_remarks w where w.certification_id = :certification), pg_temp.last() ->> 'words',
  'an entry contains a salted digest of the text');
set local certvakt.change = '{"completed_on": "in May"}';
select throws_ok($$update public.peer_mentor_certifications set expires_at = '2032-01-01' where id = '00000000-0000-4000-8000-0000000200a2'$$,
  '23514', null, 'an invalid date is refused');
set local certvakt.change = '';

-- Only the database writes it.
select throws_ok($$update public.peer_mentor_certifications set renewal_history = '[]' where id = '00000000-0000-4000-8000-0000000200a2'$$,
  '23001', null, 'entries are not removed, not even by a superuser');
select throws_ok($$update public.peer_mentor_certifications set renewal_history = jsonb_set(renewal_history, '{0,kind}', '"corrected"')
  where id = '00000000-0000-4000-8000-0000000200a2'$$, '23001', null, 'nor changed');
select throws_ok($$update public.peer_mentor_certifications set renewal_history = renewal_history || '[{"schema_version": 1}]'
  where id = '00000000-0000-4000-8000-0000000200a2'$$, '23001', null, 'entries cannot be written directly');
set local session_replication_role = replica;
select throws_ok($$update public.peer_mentor_certifications set renewal_history = '[]' where id = '00000000-0000-4000-8000-0000000200a2'$$,
  '23001', null, 'not even a replica session can write entries');
set local session_replication_role = origin;
select lives_ok($$update public.peer_mentor_certifications set renewal_history = renewal_history$$, 'an update without a difference is allowed');

-- Rows that are inserted with a history keep it.
create function pg_temp.with_history(history jsonb) returns text language sql as $$
  select format('insert into public.peer_mentor_certifications (organisation_id, chapter_id, peer_mentor_id, certification_type, renewal_history)
    select organisation_id, chapter_id, peer_mentor_id, certification_type, %L::jsonb
    from public.peer_mentor_certifications where id = ''00000000-0000-4000-8000-0000000200a2''', history) $$;
select lives_ok(pg_temp.with_history(jsonb_build_array(pg_temp.last())), 'an entry of the present version is accepted');
select lives_ok(pg_temp.with_history(jsonb_build_array(pg_temp.last() - 'source' || '{"schema_version": 1}')), 'an entry of the first version is accepted');
select lives_ok(pg_temp.with_history('[{"schema_version": 9, "mood": ["good", 3]}]'), 'an entry of a later version is accepted unchanged');
select throws_ok(pg_temp.with_history(history), '23514', null, 'not ' || what)
from (values
  ('anything else', '["renewed"]'::jsonb), ('one without a version', '[{"kind": "renewed"}]'), ('one of version 0', '[{"schema_version": 0}]'),
  ('one of version 1.5', '[{"schema_version": 1.5}]'), ('one of version 1 that knows more', jsonb_build_array(pg_temp.last() || '{"schema_version": 1}')),
  ('one with a field too many', jsonb_build_array(pg_temp.last() || '{"mood": "good"}')),
  ('one with a missing field', jsonb_build_array(pg_temp.last() - 'told')),
  ('one of an unknown kind', jsonb_build_array(pg_temp.last() || '{"kind": "lost"}')),
  ('one with a null that must not be', jsonb_build_array(pg_temp.last() || '{"at": null}')),
  ('one with a number for a text', jsonb_build_array(pg_temp.last() || '{"id": 3}')),
  ('one with an unknown stage', jsonb_build_array(pg_temp.last() || '{"told": ["expiry_warning_07d"]}')),
  ('a later one without a canonical text', '[{"schema_version": 9, "weight": 1.5}]'),
  ('a later one with other keys', '[{"schema_version": 9, "Mood": 1}]')) as wrong (what, history);

-- A withdrawal is final.
set local certvakt.change = '{"kind": "withdrawn"}';
update public.peer_mentor_certifications set status = 'suspended' where id = :certification;
set local certvakt.change = '';
select is(pg_temp.last() ->> 'kind', 'withdrawn', 'a withdrawal is a suspension with its own kind');
select throws_ok($$update public.peer_mentor_certifications set expires_at = '2040-01-01' where id = '00000000-0000-4000-8000-0000000200a2'$$,
  '23001', null, 'no register renews a withdrawn certification');
select throws_ok($$update public.peer_mentor_certifications set expires_at = '2040-01-01', status = 'active' where id = '00000000-0000-4000-8000-0000000200a2'$$,
  '23001', null, 'no register reinstates it with a date');
select lives_ok($$update public.peer_mentor_certifications set status = 'suspended' where id = '00000000-0000-4000-8000-0000000200a2'$$,
  'suspending it changes nothing');
select lives_ok($$update public.peer_mentor_certifications set status = 'active' where id = '00000000-0000-4000-8000-0000000200a2'$$,
  'a person can reinstate it');

-- The maximum length.
insert into certvakt.installation (long_history) values (2) on conflict (only_row) do update set long_history = 2;
select is((select count(*) from certvakt.long_histories), 0::bigint, 'no history is long');
update public.peer_mentor_certifications set expires_at = '2041-01-01' where id = :certification;
select is((select count(*) from certvakt.long_histories), 1::bigint, 'a long history is recorded');
select is(jsonb_array_length(renewal_history), 14, 'it takes more') from public.peer_mentor_certifications where id = :certification;
update certvakt.installation set long_history = 1;
select throws_ok($$update public.peer_mentor_certifications set expires_at = '2042-01-01' where id = '00000000-0000-4000-8000-0000000200a2'$$,
  '54000', null, 'a history of ten times the limit is full');
select lives_ok($$update public.peer_mentor_certifications set external_id = 'Y' where id = '00000000-0000-4000-8000-0000000200a2'$$,
  'other changes are still possible');

-- Visibility.
set local role authenticated;
select is((select count(*) from certvakt.history_of(:certification)), 0::bigint, 'nobody sees it without claims');
select set_config('request.jwt.claims', '{"iss": "https://issuer.example", "sub": "coordinator"}', true);
select is((select count(*) filter (where note = 'Bodø') from certvakt.history_of(:certification)), 1::bigint, 'its coordinator sees it, with notes');
select throws_ok('select * from certvakt.renewal_remarks', '42501', null, 'people cannot read evidence and notes directly');
select set_config('request.jwt.claims', '{"iss": "https://issuer.example", "sub": "outsider"}', true);
select is((select count(*) from certvakt.history_of(:certification)), 0::bigint, 'nobody of another organisation sees it');
reset role;

select * from finish();
rollback;
