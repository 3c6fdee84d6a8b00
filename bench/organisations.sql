-- Twenty organisations of 111 chapters (a top, ten regions, ten chapters below each), and mentors with a
-- certification each, evenly in the lowest chapters. Where a row lies says nothing about when it expires.
--
-- :mentors how many   :stride a number that shares no divisor with it   :today   :logins of each coordinator

-- Ids as an import makes them, some in each millisecond: of a thing and its number.
create function pg_temp.id_of(thing text, i bigint) returns uuid immutable language sql as $$
  select overlay(md5(thing || ' ' || i) placing lpad(to_hex(1750000000000 + i / 16), 12, '0') || '7' from 1 for 13)::uuid
$$;
create function pg_temp.lowest(organisation bigint, i bigint) returns uuid immutable language sql as $$
  select pg_temp.id_of('chapter', organisation * 111 + 11 + i % 100)
$$;

insert into certvakt.organisations (id, slug, name, time_zone)
select pg_temp.id_of('organisation', o), 'org-' || o, 'Forening ' || o, 'Europe/Oslo' from generate_series(0, 19) o;
insert into certvakt.certification_types (organisation_id, code, name)
select id, 'type', 'Likeperson' from certvakt.organisations;
insert into certvakt.chapters (id, organisation_id, parent_id, slug, name)
select pg_temp.id_of('chapter', o * 111 + c), pg_temp.id_of('organisation', o),
  case when c > 10 then pg_temp.id_of('chapter', o * 111 + 1 + (c - 11) / 10)
    when c > 0 then pg_temp.id_of('chapter', o * 111) end,
  'chapter-' || c, 'Lag ' || c
from generate_series(0, 19) o, generate_series(0, 110) c;

insert into certvakt.people (id, name) select pg_temp.id_of('person', i), 'Mentor ' || i from generate_series(1, :mentors) i;
insert into certvakt.memberships (organisation_id, chapter_id, person_id, role)
select pg_temp.id_of('organisation', i % 20), pg_temp.lowest(i % 20, i / 20), pg_temp.id_of('person', i), 'mentor'
from generate_series(1, :mentors) i;
-- One in five hundred belongs to a chapter of the next region as well, and is seen from there.
insert into certvakt.memberships (organisation_id, chapter_id, person_id, role)
select pg_temp.id_of('organisation', i % 20), pg_temp.lowest(i % 20, i / 20 + 10), pg_temp.id_of('person', i), 'mentor'
from generate_series(1, :mentors, 499) i;

insert into public.peer_mentor_certifications
  (id, organisation_id, chapter_id, peer_mentor_id, certification_type, external_id, expires_at)
select pg_temp.id_of('certification', i), pg_temp.id_of('organisation', i % 20), pg_temp.lowest(i % 20, i / 20),
  pg_temp.id_of('person', i), 'type', 'M-' || i,
  -- So far ahead that nothing comes due.
  (date ':today' + 400 + (i::bigint * :stride % 700)::int + time '23:59:59') at time zone 'Europe/Oslo'
from generate_series(1, :mentors) i;

-- Each organisation has somebody who keeps its first region and somebody who administers it.
insert into certvakt.people (id, name)
select pg_temp.id_of(who, o), who || ' ' || o from generate_series(0, 19) o, unnest(array['coordinator', 'administrator']) who;
insert into certvakt.memberships (organisation_id, chapter_id, person_id, role)
select pg_temp.id_of('organisation', o), pg_temp.id_of('chapter', o * 111 + 1), pg_temp.id_of('coordinator', o), 'coordinator'
from generate_series(0, 19) o;
insert into certvakt.memberships (organisation_id, chapter_id, person_id, role)
select pg_temp.id_of('organisation', o), pg_temp.id_of('chapter', o * 111), pg_temp.id_of('administrator', o), 'org_admin'
from generate_series(0, 19) o;
-- Logins of one coordinator, so that the pace of one login bounds nothing.
insert into certvakt.identities (issuer, subject, person_id)
select 'https://issuer.example', 'coordinator-' || n, pg_temp.id_of('coordinator', 3) from generate_series(1, :logins) n;
insert into certvakt.identities (issuer, subject, person_id)
values ('https://issuer.example', 'administrator', pg_temp.id_of('administrator', 3));
