-- Permissions: every kind of person, resource, verb and place, as `authenticated`.
begin;
select no_plan();
\if :{?world}
\else
  \set world fixtures/world.psql
\endif
\ir :world
\ir fixtures/certified.psql
create table pg_temp.may (who text, resource text, verb text, places text);
\ir fixtures/may.psql
-- Administrators change settings; chapters only where no app owns the hierarchy.
insert into pg_temp.may (who, resource, verb, places) values
  ('administrator', 'organisation', 'update', 'top own beside below twice'),
  ('administrator', 'type', 'update', 'top own beside below twice');
insert into pg_temp.may (who, resource, verb, places)
select 'administrator', 'chapter', verb, 'top own beside below twice' from unnest(array['insert', 'update']) verb
where exists (select from certvakt.memberships);

-- A place: a chapter, with a person and a certification in it.
create table pg_temp.place (name text, organisation uuid, chapter uuid, person uuid, certification uuid);
insert into pg_temp.place
select h.slug, h.organisation_id, h.id, c.peer_mentor_id, c.id
from certvakt.chapters h join public.peer_mentor_certifications c
  on c.chapter_id = h.id and c.id::text like '%-0000000200__';
insert into pg_temp.place
select place, organisation_id, chapter_id, peer_mentor_id, id from public.peer_mentor_certifications
join (values ('twice', '00000000-0000-4000-8000-000000030001'::uuid), ('mine', '00000000-0000-4000-8000-000000030002'))
  as special (place, certification) on certification = id;
insert into pg_temp.place select 'deleted', '00000000-0000-4000-8000-00000000dead', '00000000-0000-4000-8000-00000000dead',
  '00000000-0000-4000-8000-00000000dead', '00000000-0000-4000-8000-00000000dead';
create table pg_temp.statement (resource text, verb text, sql text);
insert into pg_temp.statement values
  ('certification', 'select', 'select 1 from public.peer_mentor_certifications where id = $4'),
  ('certification', 'insert', 'insert into public.peer_mentor_certifications (organisation_id, chapter_id, peer_mentor_id, certification_type) values ($1, $2, $3, ''type'')'),
  ('certification', 'update', 'update public.peer_mentor_certifications set status = ''suspended'' where id = $4'),
  ('certification', 'delete', 'delete from public.peer_mentor_certifications where id = $4'),
  ('notice', 'select', 'select 1 from certvakt.notices_of(array[$4])'),
  ('details', 'select', 'select 1 from certvakt.certification_details(array[$4], false)'),
  ('name of chapter', 'select', 'select 1 from certvakt.certification_details(array[$4], false) where chapter is not null'),
  ('found', 'select', 'select 1 where $4 = any (certvakt.search_certifications(''%'', 1000, ''-infinity'', ''00000000-0000-0000-0000-000000000000'', null, null, null, null, null))'),
  ('found person', 'select', 'select 1 from certvakt.search_people(null, 1000, null, null, null) where id = $3'),
  ('found person', 'select', 'select 1 from certvakt.search_people(''%'', 1000, null, null, null) where id = $3'),
  ('log', 'select', 'select 1 from public.cert_notification_log where certification_id = $4'),
  ('log', 'insert', 'insert into public.cert_notification_log (certification_id, notification_type, recipient_id, idempotency_key) values ($4, ''expired'', $3, repeat(''a'', 64))'),
  ('log', 'update', 'update public.cert_notification_log set sent_at = now() where certification_id = $4'),
  ('log', 'delete', 'delete from public.cert_notification_log where certification_id = $4'),
  ('person', 'select', 'select 1 from certvakt.people where id = $3'),
  ('person', 'insert', 'insert into certvakt.people (name) values (''x'')'),
  ('person', 'update', 'update certvakt.people set name = ''x'' where id = $3'),
  ('person', 'delete', 'delete from certvakt.people where id = $3'),
  ('name', 'select', 'select 1 from certvakt.person_names where person_id = $3 and organisation_id = $1'),
  ('name of others', 'select', 'select 1 from certvakt.person_names where person_id = $3 and organisation_id <> $1'),
  ('name', 'insert', 'insert into certvakt.person_names (person_id, organisation_id, name) values ($3, $1, ''x'')'),
  ('name', 'update', 'update certvakt.person_names set name = ''x'' where person_id = $3'),
  ('name', 'delete', 'delete from certvakt.person_names where person_id = $3'),
  ('membership', 'select', 'select 1 from certvakt.visible_memberships where person_id = $3 and chapter_id = $2'),
  ('membership', 'insert', 'insert into certvakt.memberships (organisation_id, chapter_id, person_id, role) values ($1, $2, $3, ''org_admin'')'),
  ('membership', 'update', 'update certvakt.memberships set role = ''coordinator'' where person_id = $3'),
  ('membership', 'delete', 'delete from certvakt.memberships where person_id = $3'),
  ('chapter', 'select', 'select 1 from certvakt.chapters where id = $2'),
  ('chapter', 'insert', 'insert into certvakt.chapters (organisation_id, parent_id, slug, name) values ($1, $2, ''x'', ''x'')'),
  ('chapter', 'update', 'update certvakt.chapters set name = ''x'' where id = $2'),
  ('chapter', 'delete', 'delete from certvakt.chapters where id = $2'),
  ('organisation', 'select', 'select 1 from certvakt.organisations where id = $1'),
  ('organisation', 'update', 'update certvakt.organisations set name = ''x'' where id = $1'),
  ('organisation', 'delete', 'delete from certvakt.organisations where id = $1'),
  ('type', 'select', 'select 1 from certvakt.certification_types where organisation_id = $1'),
  ('type', 'update', 'update certvakt.certification_types set name = ''x'' where organisation_id = $1'),
  ('run', 'select', 'select 1 from certvakt.runs where organisation_id = $1'),
  ('run', 'update', 'update certvakt.runs set approved = true where organisation_id = $1'),
  ('delivery', 'select', 'select 1 from certvakt.deliveries where organisation_id = $1'),
  ('delivery', 'update', 'update certvakt.deliveries set reason = ''x'' where organisation_id = $1'),
  ('device', 'select', 'select id from certvakt.contact_points where person_id = $3'),
  ('device', 'insert', 'insert into certvakt.contact_points (person_id, kind, address) values ($3, ''push'', ''x'')'),
  ('device', 'delete', 'delete from certvakt.contact_points where person_id = $3'),
  ('identity', 'select', 'select 1 from certvakt.identities where person_id = $3'),
  ('identity', 'insert', 'insert into certvakt.identities (issuer, subject, person_id) values (''i'', ''s'', $3)'),
  ('closure', 'select', 'select 1 from certvakt.access_closures'),
  ('closure', 'insert', 'insert into certvakt.access_closures (resource, reason) values (''certifications'', ''x'')'),
  ('invitation', 'select', 'select 1 from certvakt.invitations where person_id = $3'),
  ('invitation', 'insert', 'insert into certvakt.invitations (person_id, token_hash) values ($3, sha256(''x''))');

-- Executes a statement as a login, rolls it back, and returns whether it succeeded. A missing grant and a refusal by a
-- policy are the same error, 42501; any other error is a fault in the test and aborts it.
create function pg_temp.can(who text, sql text, place pg_temp.place) returns boolean language plpgsql as $$
declare
  touched bigint;
begin
  perform set_config('request.jwt.claims', coalesce((
    select json_build_object('iss', l.issuer, 'sub', l.subject)::text from pg_temp.login l where l.kind = who), ''), true);
  begin
    set local role authenticated;
    execute sql using place.organisation, place.chapter, place.person, place.certification;
    get diagnostics touched = row_count;
    raise exception sqlstate 'TAKEN' using message = touched::text;
  exception
    when sqlstate 'TAKEN' then return sqlerrm::bigint > 0;
    when insufficient_privilege then return false;
  end;
end
$$;

select is(
  pg_temp.can(who.name, s.sql, p.*),
  exists (select from pg_temp.may m
    where m.who = who.name and m.resource = s.resource and m.verb = s.verb and p.name = any (string_to_array(m.places, ' '))),
  format('%s: %s %s %s', who.name, s.verb, s.resource, p.name))
from unnest(array['nobody', 'stranger', 'mentor', 'coordinator', 'administrator', 'both', 'former', 'outsider']) as who (name),
  pg_temp.statement s, pg_temp.place p;
select is_empty($$
  select who, resource, verb from pg_temp.may m where not exists (
    select from pg_temp.statement s where s.resource = m.resource and s.verb = m.verb)$$, 'every permission in the list was tested');

select * from finish();
rollback;
