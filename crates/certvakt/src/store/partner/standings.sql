-- Whoever has lapsed is to be taken off, whether anything here has looked since or not.
with m as materialized (select certvakt.moment() as now)
select p.organisation_id, p.code as partner, count(l.partner_key) as "mentors!",
  count(*) filter (where l.is_listed and not x.has_lapsed) as "listed!",
  count(*) filter (where l.told_number < l.number and l.is_listed and not x.has_lapsed) as "to_list!",
  count(*) filter (where l.told_number < l.number and not l.is_listed or x.has_lapsed) as "to_delist!",
  count(*) filter (where l.told_number < l.number and not l.is_listed and l.told_listed is distinct from false
    and l.approved_number < l.number) as "not_approved!",
  coalesce(max(extract(epoch from m.now - case when x.has_lapsed then l.valid_until else l.turned_at end)) filter (
    where x.has_lapsed
      or not l.is_listed and (l.told_number < l.number or p.stage = 'live' and l.confirmed_number < l.number)), 0)::bigint
    as "oldest_removal_seconds!",
  count(*) filter (where l.told_number < l.number and l.trouble is not null) as "in_trouble!",
  count(*) filter (where l.is_unsure) as "unsure!",
  count(*) filter (where not l.is_listed and l.seen_listed) as "still_shown!",
  count(*) filter (where l.is_listed and l.told_number = l.number and not l.seen_listed and l.away_since is null) as "not_shown!",
  count(*) filter (where l.away_since is not null) as "away!",
  count(*) filter (where l.kept_off_at is not null) as "kept_off!",
  (select count(*) from certvakt.partner_reports r
    where r.organisation_id = p.organisation_id and r.partner = p.code and r.outcome = 'waiting') as "reports_waiting!"
from m cross join certvakt.partners p
left join certvakt.listings l on l.organisation_id = p.organisation_id and l.partner = p.code
cross join lateral (select coalesce(l.is_listed and l.valid_until <= m.now, false) as has_lapsed) x
group by p.organisation_id, p.code
order by p.organisation_id, p.code
