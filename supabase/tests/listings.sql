-- Listings at partners: each transition of is_listed is an immutable event.
begin;
select no_plan();
\ir fixtures/world.psql
\ir fixtures/certified.psql
\set certification '''00000000-0000-4000-8000-0000000200a2'''
\set organisation '''00000000-0000-4000-8000-0000000000a0'''
\set mentor '''00000000-0000-4000-8000-0000000100a2'''

create function pg_temp.events() returns text language sql as
  $$ select string_agg(number || ' ' || status || ' ' || cause, ', ' order by number) from certvakt.partner_events $$;

update public.peer_mentor_certifications set expires_at = null where id = :certification;
insert into certvakt.partners (organisation_id, code) values (:organisation, 'portal');
insert into certvakt.partner_types values (:organisation, 'portal', 'type');
insert into certvakt.listings (organisation_id, partner, partner_key, person_id) values (:organisation, 'portal', 'M-1', :mentor);
select is(pg_temp.events(), null, 'without consent, a mentor is not listed');
update certvakt.listings set listing_consent_at = now();
update certvakt.listings set evaluated_at = now();
update public.peer_mentor_certifications set expires_at = now() + interval '1 year' where id = :certification;
select is(pg_temp.events(), '1 listed consent-given', 'a certified mentor who consents is listed; a later end is no event');
update public.peer_mentor_certifications set status = 'expired' where id = :certification;
select is(pg_temp.events(), '1 listed consent-given', 'the date decides, not the status that a run records');
update public.peer_mentor_certifications set status = 'suspended' where id = :certification;
update public.peer_mentor_certifications set status = 'active' where id = :certification;
update certvakt.listings set excluded_at = now();
select is(pg_temp.events(), '1 listed consent-given, 2 delisted suspended, 3 listed reinstated, 4 delisted kept-off',
  'each transition is an event with its cause');
update certvakt.listings set listing_consent_at = null;
update certvakt.listings set listing_consent_at = now();
select is((select (is_listed, excluded_at)::text from certvakt.listings), '(t,)', 'a new consent ends keeping the mentor off');
delete from certvakt.partner_types;
insert into certvakt.partner_types values (:organisation, 'portal', 'type');
select is(pg_temp.events(), '1 listed consent-given, 2 delisted suspended, 3 listed reinstated, 4 delisted kept-off, '
  || '5 listed consent-given, 6 delisted required-types, 7 listed required-types', 'changes of the required types take effect immediately');
update certvakt.listings set excluded_at = now();
update certvakt.listings set listing_consent_at = clock_timestamp();
select is((select (is_listed, excluded_at)::text from certvakt.listings), '(t,)', 'the consent of a mentor who did not withdraw it remains valid');
select is((select string_agg(is_given::text, ' ' order by id) from certvakt.listing_consents), 'true false true true',
  'every consent and every withdrawal is stored');
select is((select array_agg(number order by number) from certvakt.partner_events), array[1, 2, 3, 4, 5, 6, 7, 8, 9]::bigint[],
  'event numbers have no gaps');

-- Consent in a session from a link contains the session, whose address is the proof.
savepoint consents;
update certvakt.listings set listing_consent_at = null;
insert into certvakt.identities (issuer, subject, person_id) values ('urn:certvakt:link', :mentor, :mentor);
insert into certvakt.sessions (id, token_hash, issuer, subject, address) values
  ('00000000-0000-4000-8000-00000000005e', sha256('1'), 'urn:certvakt:link', :mentor, 'used@example.org'),
  ('00000000-0000-4000-8000-00000000005f', sha256('2'), 'urn:certvakt:link', '00000000-0000-4000-8000-000000000006', 'used@example.org');
insert into certvakt.contact_points (person_id, kind, address)
select id, 'email', 'used@example.org' from certvakt.people where id in (:mentor, '00000000-0000-4000-8000-000000000006');
insert into certvakt.address_uses (person_id, address, first_used_at)
select id, 'used@example.org', now() - interval '1 year' from certvakt.people where id in (:mentor, '00000000-0000-4000-8000-000000000006');
create function pg_temp.consents(sid text) returns text language plpgsql as $$
begin
  perform set_config('request.jwt.claims', jsonb_strip_nulls(jsonb_build_object('iss', 'urn:certvakt:link',
    'sub', '00000000-0000-4000-8000-0000000100a2', 'sid', sid))::text, true);
  perform certvakt.consent_to_listing('00000000-0000-4000-8000-0000000000a0', 'portal', true);
  return 'given';
exception when insufficient_privilege then
  return 'refused';
end
$$;
set local role authenticated;
select is(pg_temp.consents(null), 'refused', 'consent without a session is refused');
select is(pg_temp.consents('00000000-0000-4000-8000-00000000005f'), 'refused', 'nor by another person''s');
select is(pg_temp.consents('00000000-0000-4000-8000-00000000005e'), 'given', 'consent in their own session with a used address is accepted');
reset role;
select is((select proof from certvakt.listing_consents order by id desc limit 1), 'used-address', 'the kind of proof is stored');
rollback to savepoint consents;

-- An undo delists at once, and lists again after a while.
savepoint undos;
create function pg_temp.waits() returns text language sql as
  $$ select is_listed || ' ' || (available_at - now())::text from certvakt.listings $$;
create function pg_temp.undo(status text) returns void language sql as $$
  select certvakt.change_certification(c.id, c.updated_at, c.expires_at, undo.status, null, '{"kind": "undone", "source": "undo"}')
  from public.peer_mentor_certifications c where c.id = '00000000-0000-4000-8000-0000000200a2' $$;
select pg_temp.undo('suspended');
select is(pg_temp.waits(), 'false 00:00:00', 'an undo that delists waits for nothing');
select pg_temp.undo('active');
select is(pg_temp.waits(), 'true 00:15:00', 'an undo that lists again waits');
select is((select string_agg(status || ' ' || cause, ', ' order by number) from certvakt.partner_events where number > 9),
  'delisted undone, listed undone', 'the cause of both events is the undo');
update public.peer_mentor_certifications set status = 'suspended' where id = :certification;
select is(pg_temp.waits(), 'false 00:00:00', 'a removal while it waits is not delayed');
update public.peer_mentor_certifications set status = 'active' where id = :certification;
select is(pg_temp.waits(), 'true 00:00:00', 'another change lists the mentor at once');
rollback to savepoint undos;

update certvakt.listings set accepted_number = 9, accepted_listed = true;
delete from certvakt.people where id = :mentor;
select is((select (person_id, is_listed, number, accepted_number)::text from certvakt.listings), '(,f,10,9)',
  'a deleted mentor must be removed');
select is((select cause from certvakt.partner_events order by number desc limit 1), 'deleted', 'the cause of the removal is the deletion');
select certvakt.delete_delisted();
select is((select count(*) from certvakt.listings), 1::bigint, 'the listing remains until the portal has removed the mentor');
update certvakt.listings set accepted_number = 10, accepted_listed = false, accepted_at = now() - interval '2 days';
select certvakt.delete_delisted();
select is((select count(*) from certvakt.listings), 1::bigint, 'only the live listing proves the removal');
update certvakt.partners set contract = '1', environment = 'live', accepted_environment = 'live';
update certvakt.listings set confirmed_number = 10;
select certvakt.delete_delisted();
select is((select count(*) from certvakt.listings) + (select count(*) from certvakt.partner_events), 0::bigint,
  'the key is deleted after the removal');

select throws_ok($$ insert into certvakt.listings (organisation_id, partner, partner_key)
  values ('00000000-0000-4000-8000-0000000000a0', 'portal', E'a\tb') $$, '23514', null, 'a key has no control characters');
select throws_ok($$ insert into certvakt.partners (organisation_id, code, environment)
  values ('00000000-0000-4000-8000-0000000000a0', 'other', 'live') $$, '23514', null, 'an environment needs a contract');

-- No role changes an event or a consent, or sets is_listed directly.
select is_empty($$
  select r.rolname, t.name from (values ('partner_events'), ('listing_consents')) t (name),
    (values ('certvakt_worker'), ('certvakt_registrar'), ('certvakt_definer'), ('authenticated'), ('service_role')) r (rolname)
  where has_any_column_privilege(r.rolname, 'certvakt.' || t.name, 'UPDATE')$$, 'events and consents are append-only');
select is_empty($$
  select r.rolname, a.attname from pg_attribute a,
    (values ('certvakt_worker'), ('certvakt_registrar'), ('certvakt_definer'), ('authenticated'), ('service_role')) r (rolname)
  where a.attrelid = 'certvakt.listings'::regclass and a.attname in ('is_listed', 'number', 'partner_key')
    and has_column_privilege(r.rolname, a.attrelid, a.attnum, 'UPDATE')$$, 'is_listed is computed and cannot be set');
select is_empty($$
  select a.attname from pg_attribute a
  where a.attrelid = 'certvakt.listings'::regclass and a.attname in ('listing_consent_at', 'excluded_at', 'person_id')
    and has_column_privilege('certvakt_worker', a.attrelid, a.attnum, 'UPDATE')$$,
  'the role that sends changes to portals cannot change consent');
select * from finish();
rollback;
