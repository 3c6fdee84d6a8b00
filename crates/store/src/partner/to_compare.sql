-- The next $4 mentors of partner $2 in the order of their keys. The listing may not yet show changes or requests sent
-- within the $5 seconds before $6, the time at which reading the listing started.
select l.partner_key, l.is_listed, l.number, l.accepted_number, l.confirmed_number,
  l.is_in_doubt or coalesce(l.lease_until <= now(), false) as "is_in_doubt!",
  l.removed_by_hand_since is not null as "was_removed_by_hand!", coalesce(l.lease_until > now(), false) as "is_under_way!",
  coalesce(l.accepted_at > $6::timestamptz - make_interval(secs => $5), false) as "is_fresh!",
  coalesce(l.requested_at > $6::timestamptz - make_interval(secs => $5), false) as "was_requested!"
from certvakt.listings l
where l.organisation_id = $1 and l.partner = $2 and l.partner_key > $3
order by l.partner_key limit $4
