-- Consent to being listed that somebody else records for a mentor: who may, what it needs, and that the mentor is told.
begin;
select no_plan();
\ir fixtures/world.psql
\ir fixtures/certified.psql
\ir fixtures/become.psql
\set mentor '''00000000-0000-4000-8000-0000000100a2'''

insert into certvakt.partners (organisation_id, code) values
  ('00000000-0000-4000-8000-0000000000a0', 'portal'), ('00000000-0000-4000-8000-0000000000b0', 'other');
insert into certvakt.listings (organisation_id, partner, partner_key, person_id) values
  ('00000000-0000-4000-8000-0000000000a0', 'portal', 'M-1', :mentor), ('00000000-0000-4000-8000-0000000000b0', 'other', 'M-1', :mentor);
delete from certvakt.mail_queue;

create function pg_temp.records(who text, partner text, is_given boolean, given_as text, given_on date, version text, locale text)
returns text language plpgsql as $$
declare
  outcome text;
begin
  perform pg_temp.become(who);
  set local role authenticated;
  outcome := certvakt.record_consent('00000000-0000-4000-8000-0000000200a2', partner, is_given, given_as, given_on, version, locale);
  reset role;
  return outcome;
exception when check_violation then
  return 'refused';
end
$$;
create function pg_temp.sees(who text) returns text language plpgsql as $$
declare
  seen text;
begin
  perform pg_temp.become(who);
  set local role authenticated;
  select (select count(*) from certvakt.listings_of('00000000-0000-4000-8000-0000000200a2')) || ' '
    || (select count(*) from certvakt.consents_of('00000000-0000-4000-8000-0000000200a2')) into seen;
  reset role;
  return seen;
end
$$;

select is((
  select string_agg(l.kind || ' ' || pg_temp.records(l.kind, 'portal', true, 'paper', current_date, '1', 'nb'), ', ' order by l.kind)
  from pg_temp.login l where l.kind not in ('coordinator', 'administrator')),
  'both unknown, former unknown, mentor unknown, outsider unknown, stranger unknown',
  'nobody else records a consent, and nobody their own');
select is(pg_temp.records('administrator', 'other', true, 'paper', current_date, '1', 'nb'), 'unknown',
  'a listing of another organisation is not found');
select is((
  select string_agg(pg_temp.records('coordinator', 'portal', true, c.given_as, c.given_on, c.version, c.locale), ' ')
  from (values (null, current_date, '1', 'nb'), ('paper', null, '1', 'nb'), ('paper', current_date, null, 'nb'),
    ('paper', current_date, '1', null), ('paper', current_date + 3, '1', 'nb'), ('own', current_date, '1', 'nb'),
    ('rumour', current_date, '1', 'nb')) c (given_as, given_on, version, locale)),
  'refused refused refused refused refused refused refused', 'a consent needs how, when and to which text it was given');
select is((select count(*) from certvakt.listing_consents), 0::bigint, 'a refused one leaves no trace');

select is(pg_temp.records('coordinator', 'portal', true, 'paper', current_date, '1', 'nb'), 'unnotified',
  'a mentor without an address cannot be told');
select is(pg_temp.records('coordinator', 'portal', true, 'phone', current_date, '1', 'nb'), 'known', 'it is recorded once');
insert into certvakt.contact_points (person_id, organisation_id, kind, address) values
  (:mentor, '00000000-0000-4000-8000-0000000000a0', 'email', 'a@example.org'),
  (:mentor, '00000000-0000-4000-8000-0000000000b0', 'email', 'b@example.org');
delete from certvakt.mail_queue;
select is(pg_temp.records('administrator', 'portal', false, null, null, null, null), 'recorded', 'a withdrawal needs no more');
update certvakt.listings set excluded_at = now() where partner = 'portal';
select is(pg_temp.records('coordinator', 'portal', true, 'in_person', current_date, '1', 'en'), 'recorded', 'the mentor is told');
select is((
  select string_agg(concat_ws(' ', n.is_given, n.given_as, n.given_on = current_date, n.text_version, n.locale, n.actor is null), ', ' order by n.id)
  from certvakt.listing_consents n), 't paper t 1 nb f, f f, t in_person t 1 en f', 'the record says how each was given');
select is((select string_agg(kind || ' ' || address, ', ' order by consent_id) from certvakt.mail_queue),
  'consent-withdrawn a@example.org, consent-given a@example.org',
  'each is mailed once, to the addresses of the organisation');
select is((
  select string_agg(l.kind || ' ' || pg_temp.sees(l.kind), ', ' order by l.kind) from pg_temp.login l),
  'administrator 1 3, both 0 0, coordinator 1 3, former 0 0, mentor 0 0, outsider 0 0, stranger 0 0',
  'the record is for those who may add to it');
select pg_temp.become('mentor');
set local role authenticated;
select is((select string_agg(concat_ws(' ', is_own, recorded_by, given_as), ', ') from certvakt.my_consents()),
  'f Coordinator in_person, f Administrator, f Coordinator paper', 'the mentor reads who recorded it, and how');
reset role;

-- Their own consent and withdrawal need no explanation and no e-mail.
delete from certvakt.mail_queue;
set local role authenticated;
select ok(certvakt.consent_to_listing('00000000-0000-4000-8000-0000000000a0', 'portal', false), 'the mentor withdraws it');
select ok(certvakt.consent_to_listing('00000000-0000-4000-8000-0000000000a0', 'portal', true), 'and consents through an app');
reset role;
select is((select given_as from certvakt.listing_consents order by id desc limit 1), 'own', 'which is recorded as their own');
select is((select count(*) from certvakt.mail_queue), 0::bigint, 'without an e-mail');

-- Those who died or left are not told.
insert into certvakt.person_changes (organisation_id, person_id, kind) values ('00000000-0000-4000-8000-0000000000a0', :mentor, 'left');
select set_config('request.jwt.claims', '', true);
update certvakt.listings set listing_consent_at = null where partner = 'portal';
select is((select count(*) from certvakt.mail_queue), 0::bigint, 'nobody who has left is told');
select is(pg_temp.records('coordinator', 'portal', true, 'paper', current_date, '1', 'nb'), 'unknown', 'nor consents any more');
select * from finish();
rollback;
