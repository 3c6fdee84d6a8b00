-- The functions behind the partners' pages: who gets what, who settles a report, who ends a stop.
begin;
select no_plan();
\ir fixtures/world.psql
\ir fixtures/certified.psql

insert into certvakt.partners (organisation_id, code, environment, contract, stopped_at, stopped_by, stopped_reason)
values ('00000000-0000-4000-8000-0000000000a0', 'portal', 'live', '1', '2026-06-01', 'contract', 'x');
insert into certvakt.partner_types values ('00000000-0000-4000-8000-0000000000a0', 'portal', 'type');
update public.peer_mentor_certifications set expires_at = null;
insert into certvakt.listings (organisation_id, partner, partner_key, person_id, listing_consent_at)
select c.organisation_id, 'portal', 'M-' || right(c.id::text, 2), c.peer_mentor_id, now()
from public.peer_mentor_certifications c where c.id::text ~ '0200a[1-4]$';
-- All are to be removed, and the portal has accepted it for one of them and the listing has confirmed it.
update public.peer_mentor_certifications set status = 'suspended' where id::text ~ '0200a[1-4]$';
update certvakt.listings set accepted_number = number, confirmed_number = number where partner_key = 'M-a1';
insert into certvakt.partner_reports (organisation_id, partner, environment, event_id, partner_key, certification_id, completed_on, outcome, reason)
select '00000000-0000-4000-8000-0000000000a0', 'portal', 'live', 'E-' || chapter, 'M-' || chapter,
  ('00000000-0000-4000-8000-0000000200' || chapter)::uuid, '2026-06-01', 'waiting', 'suspended'
from unnest(array['a2', 'a3']) chapter
union all values ('00000000-0000-4000-8000-0000000000a0'::uuid, 'portal', 'live', 'E-unknown', 'M-unknown', null::uuid, '2026-06-01'::date, 'waiting', 'mentor-unknown'),
  ('00000000-0000-4000-8000-0000000000a0', 'portal', 'live', 'E-course', 'M-a2', null, '2026-06-01', 'waiting', 'course-unknown');

create function pg_temp.login(kind text) returns text language sql as $$
  select set_config('request.jwt.claims', jsonb_build_object('iss', 'https://issuer.example', 'sub', kind)::text, true) $$;
create function pg_temp.sees() returns text language sql as $$
  select concat_ws('; ',
    (select string_agg(partner || ' ' || is_administered, ' ') from certvakt.my_partners()),
    (select string_agg(partner_key, ' ' order by partner_key)
      from certvakt.removals_at('00000000-0000-4000-8000-0000000000a0', 'portal', '-infinity', '', 10)),
    (select string_agg(event_id, ' ' order by event_id)
      from certvakt.waiting_reports('00000000-0000-4000-8000-0000000000a0', 'portal', null, '-infinity', '', 10))) $$;
create function pg_temp.settles(event text, chapter text) returns boolean language sql as $$
  select certvakt.settle_report('00000000-0000-4000-8000-0000000000a0', 'portal', event,
    ('00000000-0000-4000-8000-0000000200' || chapter)::uuid) $$;
set local role authenticated;

select pg_temp.login('stranger');
select is(pg_temp.sees(), '', 'a stranger gets nothing');
select pg_temp.login('former');
select is(pg_temp.sees(), '', 'nor does a former coordinator');
select pg_temp.login('administrator');
select is(pg_temp.sees(), 'portal true; M-a2 M-a3 M-a4; E-a2 E-a3 E-course E-unknown', 'an administrator gets all of the organisation');
select pg_temp.login('coordinator');
select is(pg_temp.sees(), 'portal false; M-a2 M-a4; E-a2 E-course', 'a coordinator gets those of their own chapters');
select pg_temp.login('both');
select is(pg_temp.sees(), 'portal false; M-a3; E-a3', 'and nobody of the chapters beside them');
select pg_temp.login('mentor');
select is(pg_temp.sees(), 'M-a2', 'a mentor gets at most their own removal');
select pg_temp.login('outsider');
select is(pg_temp.sees(), '', 'another organisation gets nothing');

select ok(not pg_temp.settles(event, null), event || ' is not theirs') from unnest(array['E-a2', 'E-unknown']) event;
select ok(not certvakt.resume_partner('00000000-0000-4000-8000-0000000000a0', 'portal', '2026-06-01'), 'nor the end of the stop');
select pg_temp.login('coordinator');
select ok(not pg_temp.settles('E-a3', null), 'a report of another chapter is not theirs either');
select ok(not pg_temp.settles('E-unknown', null), 'nor one about somebody unknown');
select ok(not pg_temp.settles('E-a2', 'a3'), 'nor can they name a certification of another chapter');
select ok(pg_temp.settles('E-a2', 'a2'), 'they settle one of their own');
select ok(not pg_temp.settles('E-a2', null), 'once');
select ok(not certvakt.resume_partner('00000000-0000-4000-8000-0000000000a0', 'portal', '2026-06-01'), 'a coordinator does not resume sending');
select pg_temp.login('administrator');
select ok(not pg_temp.settles('E-unknown', 'b1'), 'a certification of another organisation renews nothing here');
select ok(pg_temp.settles('E-unknown', null), 'an administrator settles a report about somebody unknown');
select ok(not certvakt.resume_partner('00000000-0000-4000-8000-0000000000a0', 'portal', '2026-05-31'), 'another stop than the one seen goes on');
select ok(certvakt.resume_partner('00000000-0000-4000-8000-0000000000a0', 'portal', '2026-06-01'), 'an administrator resumes sending');
select ok(not certvakt.resume_partner('00000000-0000-4000-8000-0000000000a0', 'portal', '2026-06-01'), 'once');
reset role;
select is((select string_agg(concat_ws(' ', event_id, outcome, right(settled_by::text, 2), partner_key), ', ' order by event_id)
    from certvakt.partner_reports where outcome <> 'waiting'),
  'E-a2 accepted 01 M-a2, E-unknown dismissed 02', 'who settled it is stored, and the key of somebody unknown is deleted');
select is((select num_nulls(stopped_at, stopped_by, stopped_reason) from certvakt.partners), 3, 'nothing is left of the stop');
-- Every combination of what decides about a listing.
reset role;
set local session_replication_role = replica;
insert into certvakt.listings (organisation_id, partner, partner_key, is_listed, number, changed_at, accepted_number, confirmed_number, seen_listed,
  is_in_doubt, removed_by_hand_since, valid_until)
select '00000000-0000-4000-8000-0000000000a0', 'portal', 'C-' || row_number() over (), is_listed, 2, now(), accepted, confirmed, seen, doubt, by_hand, until
from unnest(array[true, false]) is_listed, unnest(array[1, 2]) accepted, unnest(array[1, 2]) confirmed, unnest(array[true, false, null]) seen,
  unnest(array[true, false]) doubt, unnest(array[now(), null]) by_hand, unnest(array[now() - interval '1 day', now() + interval '1 day']) until;
set local session_replication_role = origin;
select is(
  (select array_agg(l.partner_key order by l.partner_key) from certvakt.unsettled_listings l where l.partner_key like 'C-%'),
  (select array_agg(l.partner_key order by l.partner_key) from certvakt.listing_states l
    where l.partner_key like 'C-%' and (l.accepted_number < l.number or l.is_in_doubt or l.removed_by_hand_since is not null
      or l.removed_since is not null or l.is_still_shown or l.is_listed and not l.seen_listed)),
  'pages read each listing once that counts for the state of a partner, and no other');

select * from finish();
rollback;
