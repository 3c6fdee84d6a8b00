-- Sign-in with browsers: the privileges of certvakt_auth, and invitations by people.
begin;
select plan(18);
\ir fixtures/world.psql
\ir fixtures/certified.psql

create function pg_temp.may(verb text) returns text language sql as $$
  select string_agg(c.relname || ' ' || p.columns, e'\n' order by c.relname)
  from pg_class c join pg_namespace n on n.oid = c.relnamespace, lateral (
    select string_agg(a.attname, ', ' order by a.attnum) as columns from pg_attribute a
    where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
      and has_column_privilege('certvakt_auth', c.oid, a.attnum, verb)) p
  where n.nspname in ('certvakt', 'public') and c.relkind in ('r', 'p', 'v') and p.columns is not null
    and c.relname not in ('sessions', 'mail_queue', 'known_browsers', 'kept_forms')
$$;
select is(pg_temp.may('select'), $$address_uses person_id, address, first_used_at
change_results made_at
contact_points id, person_id, kind, address, organisation_id
digest_settings unsubscribe
digests id, on_date
former_addresses left_at
identities issuer, subject, person_id
installation rehearsal
invitations token_hash, expires_at, used_at
listing_consents id, partner, actor, given_as, given_on
memberships organisation_id, person_id
organisations id, name, locale
people id, name, locale
person_names person_id, organisation_id, name, locale$$, 'besides its own tables, the auth role reads only the data of e-mails');
select is(pg_temp.may('insert'), $$address_uses person_id, address
identities issuer, subject, person_id
invitations person_id, token_hash, expires_at, address$$,
  'the auth role adds logins, invitations and used addresses');
select is(pg_temp.may('update'), $$digest_settings schedule
digests mailed_at$$, 'the auth role turns digests off and records that they were sent, and updates no other table');
select is_empty($$
  select c.oid::regclass from pg_class c join pg_namespace n on n.oid = c.relnamespace
  where n.nspname in ('certvakt', 'public') and c.relkind in ('r', 'p', 'v')
    and c.relname not in ('sessions', 'mail_queue', 'known_browsers', 'kept_forms', 'former_addresses', 'invitations', 'change_results', 'digests') and has_table_privilege('certvakt_auth', c.oid, 'DELETE')$$,
  'nor deletes');
select is((
  select string_agg(concat_ws(' ', r, t, v, columns), e'\n' order by r, t, v) from (
    select r, t, v, (
      select string_agg(a.attname, ', ' order by a.attnum) from pg_attribute a
      where a.attrelid = ('certvakt.' || t)::regclass and a.attnum > 0
        and has_column_privilege(r, a.attrelid, a.attnum, v)) as columns
    from unnest(array['anon', 'authenticated', 'service_role', 'certvakt_worker', 'certvakt_registrar']) r,
      unnest(array['sessions', 'mail_queue']) t, unnest(array['SELECT', 'INSERT', 'UPDATE', 'REFERENCES']) v
    union all
    select r, t, v, case when has_table_privilege(r, 'certvakt.' || t, v) then 'rows' end
    from unnest(array['anon', 'authenticated', 'service_role', 'certvakt_worker', 'certvakt_registrar']) r,
      unnest(array['sessions', 'mail_queue']) t, unnest(array['DELETE', 'TRUNCATE']) v) may
  where columns is not null),
  $$certvakt_registrar mail_queue DELETE rows
certvakt_registrar mail_queue SELECT person_id, requested_by
certvakt_registrar mail_queue UPDATE requested_by
certvakt_registrar sessions DELETE rows
certvakt_registrar sessions SELECT issuer, subject
certvakt_worker mail_queue INSERT id, kind, person_id, contact_point_id, valid_for, alert, organisation_id, number
certvakt_worker mail_queue SELECT id, kind, person_id, requested_at, valid_for, mail_due_at, mailed_at, used_at, organisation_id, address
certvakt_worker sessions SELECT issuer, subject, created_at, seen_at, expires_at, address, browser$$,
  'other roles see and erase sessions and e-mails as a person''s rights need, never see a token''s hash, and add alerts and digests');

insert into certvakt.contact_points (person_id, kind, address)
select id, 'email', 'a@example.org' from certvakt.people where id <> '00000000-0000-4000-8000-0000000100a4';
set local role certvakt_auth;
select results_eq('select distinct kind from certvakt.contact_points', array['email'], 'the auth role reads no devices');
select throws_ok($$insert into certvakt.identities (issuer, subject, person_id)
  values ('https://issuer.example', 'x', '00000000-0000-4000-8000-000000000002')$$, '42501', null, 'it adds no provider''s login');
select throws_ok($$insert into certvakt.identities (issuer, subject, person_id)
  values ('urn:certvakt:link', '00000000-0000-4000-8000-000000000001', '00000000-0000-4000-8000-000000000002')$$, '42501', null,
  'it adds no link login of another person');
select is(
  (select string_agg(right(person_id::text, 4), ' ' order by person_id) from certvakt.people_of_address('A@Example.ORG')),
  (select string_agg(right(person_id::text, 4), ' ' order by person_id) from certvakt.contact_points where kind = 'email'),
  'an address is found regardless of its case');
reset role;
savepoint many;
insert into certvakt.people (id) select md5(n::text)::uuid from generate_series(1, 5000) n;
insert into certvakt.contact_points (person_id, kind, address)
select md5(n::text)::uuid, 'email', n || '@example.org' from generate_series(1, 5000) n;
analyze certvakt.contact_points;
create temporary table read_before on commit drop as
  select pg_stat_get_xact_tuples_returned('certvakt.contact_points'::regclass) as rows;
set local role certvakt_auth;
select is((select count(*) from certvakt.people_of_address('4711@example.org')), 1::bigint, 'an address is found among thousands');
reset role;
select is(
  pg_stat_get_xact_tuples_returned('certvakt.contact_points'::regclass), (select rows from pg_temp.read_before),
  'the search uses an index');
rollback to savepoint many;

set local role certvakt_auth;
select throws_ok($$insert into certvakt.invitations (person_id, token_hash, expires_at)
  values ('00000000-0000-4000-8000-000000000001', sha256('x'), now())$$, '42501', null,
  'an invitation without an address is the operator''s alone');
reset role;
savepoint notices;
delete from certvakt.mail_queue;
insert into certvakt.former_addresses (person_id, address, left_at)
select '00000000-0000-4000-8000-000000000001', 'former' || n || '@example.org', now() - interval '80 days' + n * interval '1 day'
from generate_series(1, 12) n;
select certvakt.notify_person('00000000-0000-4000-8000-000000000001', null, 'new-login', null);
select is((select string_agg(split_part(address, '@', 1), ' ' order by length(address), address) from certvakt.mail_queue),
  'a former1 former2 former3 former4 former5 former6 former7 former8 former9 former10',
  'an e-mail goes to the present address and to the ten that were removed first');
delete from certvakt.contact_points where person_id = '00000000-0000-4000-8000-000000000001' and kind = 'email';
select is((select count(*) from certvakt.mail_queue where kind = 'new-login' and address = 'a@example.org'), 1::bigint,
  'the e-mail is not lost if the address is removed before sending');
rollback to savepoint notices;

create function pg_temp.invited(who text) returns text language plpgsql as $$
declare
  invited text;
begin
  perform set_config('request.jwt.claims', json_build_object('iss', 'https://issuer.example', 'sub', who)::text, true);
  set local role authenticated;
  select string_agg(right(id, 4), ' ' order by id) into invited
  from unnest(array['0000000100a1', '0000000100a2', '0000000100a3', '0000000100a4', '0000000100b1', '00000000dead']) as id
  where certvakt.invite(('00000000-0000-4000-8000-' || id)::uuid);
  reset role;
  return invited;
end
$$;
select is(pg_temp.invited('coordinator'), '00a2', 'a coordinator may invite people with a mail address in visible chapters');
select is(pg_temp.invited('administrator'), '00a1 00a2 00a3', 'an administrator may invite the people of the organisation');
select is(
  (select string_agg(who || '=' || coalesce(pg_temp.invited(who), 'nobody'), ' ' order by who)
   from unnest(array['mentor', 'former', 'stranger']) as who),
  'former=nobody mentor=nobody stranger=nobody', 'others may invite nobody');
select results_eq(
  $$select right(person_id::text, 4), right(requested_by::text, 4) from certvakt.mail_queue where kind = 'invitation' order by 1$$,
  $$values ('00a1', '0002'), ('00a2', '0001'), ('00a3', '0002')$$, 'one invitation in ten minutes, for the first requester');

select * from finish();
rollback;
