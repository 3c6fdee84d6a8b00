-- Administrators see how their organisations' partners stand, and what about them wants a person.

set local lock_timeout = '5s';
set local statement_timeout = '60s';

create view certvakt.partner_standings with (security_invoker = true) as
-- Whoever has lapsed is to be taken off, whether anything here has looked since or not.
with m as materialized (select certvakt.moment() as now)
select p.organisation_id, p.code as partner, count(l.partner_key) as mentors,
  count(*) filter (where l.is_listed and not x.has_lapsed) as listed,
  count(*) filter (where l.told_number < l.number and l.is_listed and not x.has_lapsed) as to_list,
  count(*) filter (where l.told_number < l.number and not l.is_listed or x.has_lapsed) as to_delist,
  count(*) filter (where l.told_number < l.number and not l.is_listed and l.told_listed is distinct from false
    and l.approved_number < l.number) as not_approved,
  -- Somebody's clock may be ahead of another's.
  greatest(coalesce(max(extract(epoch from m.now - case when x.has_lapsed then l.valid_until else l.turned_at end)) filter (
    where x.has_lapsed
      or not l.is_listed and (l.told_number < l.number or p.stage = 'live' and l.confirmed_number < l.number)), 0), 0)::bigint
    as oldest_removal_seconds,
  count(*) filter (where l.told_number < l.number and l.trouble is not null) as in_trouble,
  count(*) filter (where l.is_unsure) as unsure,
  count(*) filter (where not l.is_listed and l.seen_listed) as still_shown,
  count(*) filter (where l.is_listed and l.told_number = l.number and not l.seen_listed and l.away_since is null) as not_shown,
  count(*) filter (where l.away_since is not null) as away,
  count(*) filter (where l.kept_off_at is not null) as kept_off,
  (select count(*) from certvakt.partner_reports r
    where r.organisation_id = p.organisation_id and r.partner = p.code and r.outcome = 'waiting') as reports_waiting
from m cross join certvakt.partners p
left join certvakt.listings l on l.organisation_id = p.organisation_id and l.partner = p.code
cross join lateral (select coalesce(l.is_listed and l.valid_until <= m.now, false) as has_lapsed) x
group by p.organisation_id, p.code, m.now;
comment on view certvakt.partner_standings is 'How partners stand: whom they know, what they are to be told, what their listings show.';
revoke all on certvakt.partner_standings from public, anon, authenticated, service_role;
grant select on certvakt.partner_standings to certvakt_worker, certvakt_definer;

create function certvakt.my_partners()
returns table (
  organisation_id uuid, organisation text, partner text, stage text, listed bigint, to_list bigint, to_delist bigint,
  oldest_removal_seconds bigint, stopped_since timestamptz, stopped_by text, held bigint, unread_since timestamptz,
  still_shown bigint, not_shown bigint, away bigint, unknown_shown bigint, reports_waiting bigint, secret_days integer)
language sql stable security definer set search_path = ''
begin atomic
  select p.organisation_id, o.name, p.code, p.stage, s.listed, s.to_list, s.to_delist, s.oldest_removal_seconds,
    p.stopped_at, p.stopped_by, case when p.held_at is null then 0 else s.not_approved end, p.unread_since,
    s.still_shown, s.not_shown, s.away, p.unknown_shown, s.reports_waiting,
    p.secret_ends_on - (now() at time zone 'UTC')::date
  from certvakt.partners p
  join certvakt.organisations o on o.id = p.organisation_id
  join certvakt.partner_standings s on s.organisation_id = p.organisation_id and s.partner = p.code
  where p.organisation_id in (
    select m.organisation_id from certvakt.memberships m
    where m.person_id = (select certvakt.current_person()) and m.role = 'org_admin');
end;
comment on function certvakt.my_partners is 'How the partners stand of the organisations that who is asking administers.';
revoke all on function certvakt.my_partners() from public, anon, service_role;
grant execute on function certvakt.my_partners() to authenticated;
alter function certvakt.my_partners() owner to certvakt_definer;
