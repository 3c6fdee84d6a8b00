-- What the pages of the organisation of `coordinator-1` show besides certifications: suspensions, a partner that lists its
-- mentors, reports, contacts, changes and imports. Some people of all organisations declined notices. No trigger fires.
--
-- :today

create temporary table of_organisation on commit drop as
select c.*, row_number() over (order by hashtext(c.external_id)) as n,
  c.expires_at at time zone 'Europe/Oslo' < date ':today' as has_lapsed,
  h.parent_id = pg_temp.id_of('chapter', 3 * 111 + 1) as is_of_coordinator
from public.peer_mentor_certifications c join certvakt.chapters h on h.id = c.chapter_id
where c.organisation_id = pg_temp.id_of('organisation', 3);

-- One in a hundred is suspended.
update public.peer_mentor_certifications c set status = 'suspended' from of_organisation o where o.id = c.id and o.n % 100 = 4;

insert into certvakt.channel_opt_outs (person_id, kind)
select person_id, 'email' from certvakt.contact_points where kind = 'email' and hashtext(address) % 100 = 0
union
select id, 'push' from certvakt.people where hashtext(name) % 100 = 0;

insert into certvakt.partners
  (organisation_id, code, environment, contract, switched_at, accepted_environment, reconciled_at)
values (pg_temp.id_of('organisation', 3), 'portal', 'live', '1', now() - interval '1 year', 'live', now());
insert into certvakt.partner_types (organisation_id, partner, certification_type)
values (pg_temp.id_of('organisation', 3), 'portal', 'type');
-- Of each thousand mentors, one is to be sent, one differs from the listing, one was removed by hand, and ten are excluded.
insert into certvakt.listings
  (organisation_id, partner, partner_key, person_id, listing_consent_at, excluded_at, valid_until, is_listed, number, changed_at,
    accepted_number, accepted_listed, confirmed_number, seen_listed, removed_by_hand_since)
select c.organisation_id, 'portal', 'K-' || c.n, c.peer_mentor_id, now() - interval '1 year',
  case when c.n % 100 = 3 then now() - interval '2 days' end, c.expires_at, x.is_listed, x.number, now() - interval '2 days',
  x.number - (c.n % 1000 = 0)::int, x.is_listed, x.number - (c.n % 1000 < 2)::int,
  case c.n % 1000 when 0 then null when 1 then not x.is_listed else x.is_listed end,
  case when c.n % 1000 = 2 then now() - interval '1 day' end
from of_organisation c
cross join lateral (select not c.has_lapsed and c.n % 100 not in (3, 4) as is_listed) l
cross join lateral (select l.is_listed, case when l.is_listed then 1 else 2 end as number) x;
insert into certvakt.partner_reports
  (organisation_id, partner, environment, event_id, partner_key, certification_type, certification_id, completed_on, outcome, reason)
select c.organisation_id, 'portal', 'live', 'E-' || c.n, 'K-' || c.n, 'type', c.id, date ':today' - 3, 'waiting', 'other-date'
from of_organisation c where c.is_of_coordinator order by c.n limit 100;

-- A third of those who are due were contacted, and a part of them stops.
insert into certvakt.contacts (certification_id, chapter_id, expires_at, outcome, next_on, made_at, made_by)
select c.id, c.chapter_id, c.expires_at, case when c.n % 2 = 0 then 'reached' else 'stops' end,
  case when c.n % 2 = 0 then date ':today' + 7 end, now() - interval '1 hour' - c.n * interval '1 second',
  pg_temp.id_of('coordinator', 3)
from of_organisation c
where c.is_of_coordinator and not c.has_lapsed and c.expires_at < date ':today' + interval '60 days' and c.n % 3 = 0;
insert into certvakt.change_results (made_by, form, certification_id, kind, version, expires_at, status)
select pg_temp.id_of('coordinator', 3), pg_temp.id_of('form', greatest(x.place - 100, 0)), x.id, 'renewed', x.updated_at, x.expires_at, x.status
from (
  select c.*, row_number() over (order by c.n) as place from of_organisation c where c.is_of_coordinator order by c.n limit 200
) x;
insert into certvakt.imports
  (organisation_id, chapter_ids, certification_types, read, added, updated, unchanged, rejected, renewed, corrected, person_id, limited_to)
select pg_temp.id_of('organisation', 3), array[pg_temp.id_of('chapter', 3 * 111 + 11)], array['type'], 500, 0, 0, 500, 0, 0, 0,
  pg_temp.id_of('coordinator', 3), array[pg_temp.id_of('chapter', 3 * 111 + 1)]
from generate_series(1, 100);
