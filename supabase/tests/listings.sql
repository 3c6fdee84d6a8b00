-- Who is to be listed at a partner: a fact whose every transition is an event that nobody changes.
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
select is(pg_temp.events(), null, 'without consent nobody is to be listed');
update certvakt.listings set listing_consent_at = now();
update certvakt.listings set looked_at = now();
update public.peer_mentor_certifications set expires_at = now() + interval '1 year' where id = :certification;
select is(pg_temp.events(), '1 listed consent-given', 'who consents and is certified is; that it lasts longer is no event');
update public.peer_mentor_certifications set status = 'expired' where id = :certification;
select is(pg_temp.events(), '1 listed consent-given', 'what a run has recorded makes no difference, the date does');
update public.peer_mentor_certifications set status = 'suspended' where id = :certification;
update public.peer_mentor_certifications set status = 'active' where id = :certification;
update certvakt.listings set kept_off_at = now();
select is(pg_temp.events(), '1 listed consent-given, 2 delisted suspended, 3 listed reinstated, 4 delisted kept-off',
  'each transition is an event, with what caused it');
update certvakt.listings set listing_consent_at = null;
update certvakt.listings set listing_consent_at = now();
select is((select (is_listed, kept_off_at)::text from certvakt.listings), '(t,)', 'who consents anew is kept off no more');
delete from certvakt.partner_types;
insert into certvakt.partner_types values (:organisation, 'portal', 'type');
select is(pg_temp.events(), '1 listed consent-given, 2 delisted suspended, 3 listed reinstated, 4 delisted kept-off, '
  || '5 listed consent-given, 6 delisted required-types, 7 listed required-types', 'what a partner requires counts at once');
update certvakt.listings set kept_off_at = now();
update certvakt.listings set listing_consent_at = clock_timestamp();
select is((select (is_listed, kept_off_at)::text from certvakt.listings), '(t,)', 'and so does who never withdrew');
select is((select string_agg(is_given::text, ' ' order by id) from certvakt.listing_consents), 'true false true true',
  'each time that consent was given or withdrawn is kept');
select is((select array_agg(number order by number) from certvakt.partner_events), array[1, 2, 3, 4, 5, 6, 7, 8, 9]::bigint[],
  'events are numbered without a gap');

-- Consent by a link names its session, and the session's address is the proof.
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
select is(pg_temp.consents(null), 'refused', 'without a session nothing is shown');
select is(pg_temp.consents('00000000-0000-4000-8000-00000000005f'), 'refused', 'nor by another person''s');
select is(pg_temp.consents('00000000-0000-4000-8000-00000000005e'), 'given', 'their own has an address that they used before');
reset role;
select is((select proof from certvakt.listing_consents order by id desc limit 1), 'used-address', 'which is on record');
rollback to savepoint consents;

update certvakt.listings set told_number = 9, told_listed = true;
delete from certvakt.people where id = :mentor;
select is((select (person_id, is_listed, number, told_number)::text from certvakt.listings), '(,f,10,9)',
  'whoever is deleted is to be taken off');
select is((select cause from certvakt.partner_events order by number desc limit 1), 'deleted', 'with that cause');
select certvakt.forget_delisted();
select is((select count(*) from certvakt.listings), 1::bigint, 'and stays until the portal has done so');
update certvakt.listings set told_number = 10, told_listed = false, told_at = now() - interval '2 days';
select certvakt.forget_delisted();
select is((select count(*) from certvakt.listings), 1::bigint, 'which its listing shows, and that of no staging');
update certvakt.partners set contract = '1', stage = 'live', told_stage = 'live';
update certvakt.listings set confirmed_number = 10;
select certvakt.forget_delisted();
select is((select count(*) from certvakt.listings) + (select count(*) from certvakt.partner_events), 0::bigint,
  'then the key is forgotten');

select throws_ok($$ insert into certvakt.listings (organisation_id, partner, partner_key)
  values ('00000000-0000-4000-8000-0000000000a0', 'portal', E'a\tb') $$, '23514', null, 'a key has no control characters');
select throws_ok($$ insert into certvakt.partners (organisation_id, code, stage)
  values ('00000000-0000-4000-8000-0000000000a0', 'other', 'live') $$, '23514', null, 'nobody is told without a contract');

-- Nobody changes an event or a consent, or says themselves that somebody is listed.
select is_empty($$
  select r.rolname, t.name from (values ('partner_events'), ('listing_consents')) t (name),
    (values ('certvakt_worker'), ('certvakt_registrar'), ('certvakt_definer'), ('authenticated'), ('service_role')) r (rolname)
  where has_any_column_privilege(r.rolname, 'certvakt.' || t.name, 'UPDATE')$$, 'events and consents are append-only');
select is_empty($$
  select r.rolname, a.attname from pg_attribute a,
    (values ('certvakt_worker'), ('certvakt_registrar'), ('certvakt_definer'), ('authenticated'), ('service_role')) r (rolname)
  where a.attrelid = 'certvakt.listings'::regclass and a.attname in ('is_listed', 'number', 'partner_key')
    and has_column_privilege(r.rolname, a.attrelid, a.attnum, 'UPDATE')$$, 'the fact is worked out, never said');
select is_empty($$
  select a.attname from pg_attribute a
  where a.attrelid = 'certvakt.listings'::regclass and a.attname in ('listing_consent_at', 'kept_off_at', 'person_id')
    and has_column_privilege('certvakt_worker', a.attrelid, a.attnum, 'UPDATE')$$,
  'whoever tells portals changes nothing about consent');
select * from finish();
rollback;
