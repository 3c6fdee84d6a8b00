-- Records the state of some mentors in the listing of partner $2: $4, or null if it cannot show their last event yet;
-- whether it confirms that event ($5) or shows the result of a request ($6); whether the state is sent again ($7); and
-- whether the mentor is missing although certvakt did not remove them ($8). Only a live listing ($10) proves anything.
update certvakt.listings l
set seen_listed = coalesce(x.shown, l.seen_listed),
  confirmed_number = case when $10 and x.confirmed then l.number else l.confirmed_number end,
  is_in_doubt = l.is_in_doubt and not x.cleared,
  lease_token = case when x.cleared then null else l.lease_token end,
  lease_until = case when x.cleared then null else l.lease_until end,
  accepted_number = case when x.cleared and x.confirmed then l.number when x.again and l.number > 0 then l.number - 1 else l.accepted_number end,
  accepted_listed = case when x.cleared and x.confirmed then l.is_listed else l.accepted_listed end,
  replays = l.replays + x.again::int,
  available_at = case when x.cleared or x.again then now() else l.available_at end,
  removed_by_hand_since = case when not $10 then l.removed_by_hand_since when x.removed_by_hand then coalesce(l.removed_by_hand_since, now())
    when x.shown then null else l.removed_by_hand_since end
from unnest($3::text[], $4::boolean[], $5::boolean[], $6::boolean[], $7::boolean[], $8::boolean[], $9::bigint[])
  as x (partner_key, shown, confirmed, cleared, again, removed_by_hand, number)
-- Mentors who have changed since they were read, or whose state is being sent, are compared next time.
where l.organisation_id = $1 and l.partner = $2 and l.partner_key = x.partner_key and l.number = x.number
  and (l.lease_until is null or l.lease_until <= now())
