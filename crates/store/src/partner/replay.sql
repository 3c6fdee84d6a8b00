-- Sends the present state, not the past one, of each mentor again who had an event since $3, or whose key is $4.
update certvakt.listings l
set accepted_number = l.number - 1, replays = l.replays + 1, available_at = now(), attempts = 0
where l.organisation_id = $1 and l.partner = $2 and l.accepted_number = l.number and ($4::text is null or l.partner_key = $4)
  and exists (
    select from certvakt.partner_events e
    where e.organisation_id = l.organisation_id and e.partner = l.partner and e.partner_key = l.partner_key and e.at >= $3)
